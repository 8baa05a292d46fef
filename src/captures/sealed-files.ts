import { join } from 'node:path'
import type { CaptureConfig } from '../config/config.ts'
import type { Frame, Position } from '../journal/entry.ts'
import type { Files } from '../world/files.ts'
import type { Us } from '../world/time.ts'
import { CompressedFile, endings } from './compressed-file.ts'
import { envelope } from './formats/envelope.ts'
import type { Format } from './formats/format.ts'
import { raw } from './formats/raw.ts'
import type { ManifestFile, ManifestStream } from './manifest.ts'
import { checkStreamName } from './stream-name.ts'

type Counts = Omit<ManifestStream, 'coverage'>
type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Waiting to be compressed, over all files. */
const MOST_WAITING_BYTES = 8 << 20

const formats: Readonly<Record<CaptureConfig['format'], Format>> = { envelope, raw }

/** The files of a folder that is being sealed, one a stream, and what is counted on the way. */
export class SealedFiles {
  readonly #files: Files
  readonly #directory: string
  readonly #capture: Pick<CaptureConfig, 'format' | 'compression'>
  readonly #format: Format
  readonly #open = new Map<string, CompressedFile>()
  readonly #counts = new Map<string, Writable<Counts>>()
  #first: Position | undefined
  #last: Position | undefined
  #fromUs = Number.MAX_SAFE_INTEGER
  #toUs = 0

  constructor(files: Files, directory: string, capture: Pick<CaptureConfig, 'format' | 'compression'>) {
    this.#files = files
    this.#directory = directory
    this.#capture = capture
    this.#format = formats[capture.format]
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

  async write(frames: readonly Frame[]): Promise<void> {
    const lines = new Map<string, Buffer[]>()
    const add = (name: string, data: Buffer): void => {
      if (data.length === 0) return
      const some = lines.get(name)
      if (some) some.push(data)
      else lines.set(name, [data])
    }
    for (const frame of frames) {
      const encoded = this.#format(frame)
      add(`${frame.stream}.jsonl`, encoded.lines)
      add(`${frame.stream}.other`, encoded.other)
      this.#count(frame, encoded.messages, encoded.others)
    }
    for (const [name, data] of lines) await (await this.#file(name)).append(Buffer.concat(data))
    let waitingBytes = 0
    for (const file of this.#open.values()) waitingBytes += file.waitingBytes
    if (waitingBytes > MOST_WAITING_BYTES) for (const file of this.#open.values()) await file.flush()
  }

  /** Syncs and closes the files, and lists them by name. */
  async finish(): Promise<ManifestFile[]> {
    const listed: ManifestFile[] = []
    for (const [name, file] of [...this.#open].sort(([a], [b]) => (a < b ? -1 : 1))) {
      listed.push({ name, ...(await file.finish()) })
    }
    this.#open.clear()
    return listed
  }

  /** Closes what is open. */
  async abandon(): Promise<void> {
    for (const file of this.#open.values()) await file.abandon()
    this.#open.clear()
  }

  countsOf(stream: string): Counts {
    return this.#counts.get(stream) ?? noCounts(stream)
  }

  async #file(name: string): Promise<CompressedFile> {
    const { compression } = this.#capture
    const path = `${name}${endings[compression]}`
    let file = this.#open.get(path)
    if (!file) {
      file = await CompressedFile.create(this.#files, join(this.#directory, path), compression)
      this.#open.set(path, file)
    }
    return file
  }

  #count(frame: Frame, messages: number, others: number): void {
    const { stream, seq, position, payload, origin } = frame
    const timeUs = frame.trueUs ?? frame.wallUs
    let counts = this.#counts.get(stream)
    if (!counts) {
      counts = noCounts(checkStreamName(stream))
      this.#counts.set(stream, counts)
    }
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
