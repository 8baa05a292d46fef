import type { Frame, Position, TimeSource } from '../journal/entry.ts'
import type { Us } from '../world/time.ts'
import type { FolderWriter, Parts } from './formats/format.ts'
import type { ManifestFile, ManifestStream } from './manifest.ts'
import { checkStreamName } from './stream-name.ts'

type Counts = Omit<ManifestStream, 'coverage'>
type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The files of a folder that is being sealed, and what is counted on the way. */
export class SealedFiles {
  readonly #writer: FolderWriter
  readonly #counts = new Map<string, Writable<Counts>>()
  #first: Position | undefined
  #last: Position | undefined
  #fromUs = Number.MAX_SAFE_INTEGER
  #toUs = 0
  readonly #timeSources = new Set<TimeSource>()

  constructor(writer: FolderWriter) {
    this.#writer = writer
  }

  /** The lowest position written, if any. */
  get first(): Position | undefined {
    return this.#first
  }

  get last(): Position | undefined {
    return this.#last
  }

  /** From the earliest to after the latest frame written. */
  get period(): { readonly fromUs: Us; readonly toUs: Us } {
    return { fromUs: Math.min(this.#fromUs, this.#toUs), toUs: this.#toUs }
  }

  /** By what the clock was held to be right, frame by frame. */
  get timeSources(): ReadonlySet<TimeSource> {
    return this.#timeSources
  }

  /** Messages that the format has no place for. */
  get leftOut(): number {
    return this.#writer.leftOut
  }

  /** What stands in the names of files for names that cannot be a file's. */
  get encodedNames(): ReadonlyMap<string, string> {
    return this.#writer.encodedNames
  }

  async write(frames: readonly Frame[]): Promise<void> {
    const parts = await this.#writer.write(frames)
    for (let index = 0; index < frames.length; index++) this.#count(frames[index]!, parts[index]!)
  }

  /** Syncs and closes the files, and lists them by name. */
  async finish(pause: () => Promise<void>): Promise<ManifestFile[]> {
    return [...(await this.#writer.finish(pause))]
  }

  /** Closes what is open. It does not fail: why it is called is what matters. */
  async abandon(): Promise<void> {
    await this.#writer.discard().catch(() => {})
  }

  countsOf(stream: string): Counts {
    return this.#counts.get(stream) ?? noCounts(stream)
  }

  #count(frame: Frame, { messages, others }: Parts): void {
    const { stream, seq, position, payload, origin } = frame
    const timeUs = frame.trueUs ?? frame.wallUs
    let counts = this.#counts.get(stream)
    if (!counts) {
      counts = noCounts(checkStreamName(stream))
      this.#counts.set(stream, counts)
    }
    this.#timeSources.add(frame.source)
    counts.frames++
    counts.messages += messages
    counts.others += others
    if (frame.erased) counts.erased++
    if (frame.timeUncertain) counts.timeUncertain++
    counts.payloadBytes += payload.length
    counts.origins[origin]++
    counts.last = { seq, position, timeUs }
    counts.first ??= counts.last
    this.#first ??= position
    this.#last = position
    this.#fromUs = Math.min(this.#fromUs, timeUs)
    this.#toUs = Math.max(this.#toUs, timeUs + 1)
  }
}

function noCounts(stream: string): Writable<Counts> {
  const origins = { relay: 0, own: 0, import: 0 }
  return { stream, frames: 0, messages: 0, others: 0, erased: 0, timeUncertain: 0, payloadBytes: 0, origins }
}
