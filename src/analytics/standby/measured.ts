import type { Frame } from '../../journal/entry.ts'
import type { StreamCoverage } from '../../journal/reading.ts'
import type { Us } from '../../world/time.ts'
import { Availability, type AvailabilityFigures } from './availability.ts'
import { saidIn } from './said.ts'

/**
 * The primary's availability over a period, measured from the frames of all streams in order of position; so it can be
 * measured anew from what was exported. Times are wall time, but within a boot they do not step.
 */
export class MeasuredAvailability {
  readonly #streams = new Map<string, Availability>()
  /** What is added to a boot's monotonic time. */
  readonly #offsets = new Map<string, Us>()
  readonly #unheard: ReadonlyMap<string, StreamCoverage['rest']>

  /** @param coverage of that period */
  constructor(coverage: readonly StreamCoverage[]) {
    this.#unheard = new Map(coverage.map(({ stream, rest }) => [stream, rest]))
  }

  add(frame: Frame): void {
    if (frame.origin === 'import') return
    const said = saidIn(frame.payload)
    if (said.length === 0) return
    heed(this.#of(frame.stream), said, frame.origin, this.#timeOf(frame))
  }

  /** Nothing where nobody asked for anything and nobody replied. */
  figures(stream: string, toUs: Us): { primary?: AvailabilityFigures } {
    const availability = this.#streams.get(stream)
    availability?.settle(toUs)
    return availability ? { primary: availability.figures } : {}
  }

  #of(stream: string): Availability {
    let availability = this.#streams.get(stream)
    if (!availability) {
      const unheard = this.#unheard.get(stream) ?? []
      availability = new Availability((from, to) => !unheard.some(({ fromUs, toUs }) => fromUs < to && toUs > from))
      this.#streams.set(stream, availability)
    }
    return availability
  }

  #timeOf({ boot, monoUs, wallUs, trueUs = wallUs }: Frame): Us {
    const offset = this.#offsets.get(boot) ?? trueUs - monoUs
    this.#offsets.set(boot, offset)
    return offset + monoUs
  }
}

/** Takes into account what was said in one frame. */
export function heed(
  availability: Availability,
  said: ReturnType<typeof saidIn>,
  origin: Frame['origin'],
  readUs: Us
): void {
  for (const one of said) {
    if (one.kind === 'request') availability.asked(one.request, readUs)
    else if (one.marked || origin === 'own') availability.stoodIn()
    else availability.replied(one.reply, readUs)
  }
}
