import type { Entry } from '../../src/journal/entry.ts'
import type { Us } from '../../src/world/time.ts'
import type { Model } from './model.ts'

interface Stretch {
  readonly fromUs: Us
  readonly toUs: Us
}

/** What the journal's events claim of each stream, in simulated time: another way to the same as `coverage`. */
export class Heard {
  readonly #heard = new Map<string, Stretch[]>()
  readonly #uncertain = new Map<string, Stretch[]>()

  constructor(model: Model, entries: readonly Entry[], streams: readonly string[], silenceUs: Us) {
    const timeOf = (boot: string, monoUs: Us): Us => (model.boots.get(boot) ?? Number.NaN) + monoUs
    for (const stream of streams) {
      const heard: Stretch[] = []
      const uncertain: Stretch[] = []
      let sinceUs: Us | undefined
      let previous: Entry | undefined
      for (const entry of entries) {
        // Behind a hole it is not known what was heard before it. A known limit: a gap that was noticed in the hole, and
        // began before it, is not known either.
        if (previous && entry.position !== previous.position + 1 && sinceUs !== undefined) {
          heard.push({ fromUs: sinceUs, toUs: timeOf(previous.boot, previous.monoUs) - silenceUs })
          sinceUs = undefined
        }
        previous = entry
        if (entry.kind !== 'event') continue
        const { event } = entry
        // What told it before may not be kept any more.
        if (event.event === 'standing' && event.streams[stream] === 'heard')
          sinceUs ??= timeOf(entry.boot, entry.monoUs)
        if (!('stream' in event) || event.stream !== stream) continue
        if (event.event === 'heard') sinceUs = timeOf(entry.boot, entry.monoUs)
        else if (event.event === 'uncertain') {
          uncertain.push({ fromUs: timeOf(event.boot, event.fromUs), toUs: timeOf(event.boot, event.toUs) })
        } else if (event.event === 'gap' && sinceUs !== undefined) {
          heard.push({ fromUs: sinceUs, toUs: timeOf(event.boot, event.sinceUs) })
          sinceUs = undefined
        }
      }
      this.#heard.set(stream, heard)
      this.#uncertain.set(stream, uncertain)
    }
  }

  /** Whether it is heard at a time, and nothing uncertain. */
  isWhole(stream: string, us: Us): boolean {
    const covers = ({ fromUs, toUs }: Stretch): boolean => fromUs <= us && us <= toUs
    return this.#heard.get(stream)!.some(covers) && !this.#uncertain.get(stream)!.some(covers)
  }

  /** Whether it is claimed that a message of that time is there. */
  claims(stream: string, us: Us, toleranceUs: Us): boolean {
    return (
      this.#heard.get(stream)!.some(({ fromUs, toUs }) => fromUs <= us && us <= toUs - toleranceUs) &&
      !this.#uncertain.get(stream)!.some(({ fromUs, toUs }) => fromUs - toleranceUs <= us && us <= toUs)
    )
  }
}
