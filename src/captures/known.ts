import type { Frame, Position } from '../journal/entry.ts'
import type { JournalReader, RangeQuery } from '../journal/reading.ts'
import type { Us } from '../world/time.ts'
import { Fingerprints } from './fingerprints.ts'

export interface KnownOptions {
  readonly reader: Pick<JournalReader, 'range' | 'firstPosition'>
  /** What the journal held before this position counts as known. */
  readonly before: Position
  readonly streams?: ReadonlySet<string>
  /** What is looked up is read from the journal by periods of this length. */
  readonly periodUs: Us
  /** How far the journal's time of a thing may be from its own. */
  readonly slackUs: Us
  /** What a frame of the journal is known by. */
  readonly fingerprints: (frame: Frame) => Iterable<bigint>
}

/** At most this many periods more than one look-up needs are kept. */
const SPARE_PERIODS = 8

/**
 * What the journal holds already, by fingerprints and counted by occurrence: each can be taken once. It reads the
 * journal by periods, as they are asked for, and keeps the latest ones.
 */
export class Known {
  private readonly options: KnownOptions
  /** In order of loading. */
  private readonly periods = new Map<number, Fingerprints>()

  constructor(options: KnownOptions) {
    this.options = options
  }

  /**
   * Whether the journal holds it, and not only for those asked of before.
   * @param wallUs the time it is recorded under
   */
  async take(wallUs: Us, fingerprint: bigint): Promise<boolean> {
    const { reader, before, periodUs, slackUs } = this.options
    if (before <= reader.firstPosition) return false
    const first = Math.floor((wallUs - slackUs) / periodUs)
    const last = Math.floor((wallUs + slackUs) / periodUs)
    for (let index = first; index <= last; index++) {
      if ((this.periods.get(index) ?? (await this.load(index, last - first + 1))).take(fingerprint)) return true
    }
    return false
  }

  private async load(index: number, needed: number): Promise<Fingerprints> {
    const { reader, before, streams, periodUs } = this.options
    const query: RangeQuery = { fromUs: index * periodUs, toUs: (index + 1) * periodUs, before, recorded: true }
    const found: bigint[] = []
    for await (const frames of reader.range(streams ? { ...query, streams } : query)) {
      for (const frame of frames) found.push(...this.options.fingerprints(frame))
    }
    const period = new Fingerprints(found)
    this.periods.set(index, period)
    for (const oldest of this.periods.keys()) {
      if (this.periods.size <= needed + SPARE_PERIODS) break
      this.periods.delete(oldest)
    }
    return period
  }
}
