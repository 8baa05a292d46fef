import type { StudentBase, StudentGraph } from '../../analytics/student-graphs.ts'
import type { CaptureStatus } from '../../captures/capture-status.ts'
import type { ImportedFrame } from '../../captures/import.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'
import type { DiskReport } from '../../journal/journal.ts'
import type { AwayStore, JournalReader, RangeQuery, StreamCoverage, VerifyReport } from '../../journal/reading.ts'
import type { RepairReport } from '../../journal/repairs.ts'
import type { Report } from '../../sync/handover.ts'
import type { Sockets } from '../../world/sockets.ts'
import type { Ms } from '../../world/time.ts'
import { errorOf, type FrameJson, frameFromJson, type Message, readMessages, writeMessages } from './protocol.ts'
import type { Status } from './status.ts'

interface Extent {
  readonly firstPosition: number
  readonly nextPosition: number
  readonly away: readonly AwayStore[]
  readonly streams: string[]
}

/** A running Understudy's journal, read over its local socket. */
export class LocalClient implements Omit<JournalReader, 'cursor'> {
  private readonly sockets: Sockets
  private readonly path: string
  private readonly extent: Extent

  private constructor(sockets: Sockets, path: string, extent: Extent) {
    this.sockets = sockets
    this.path = path
    this.extent = extent
  }

  /** Rejects with code ENOENT or ECONNREFUSED when nobody listens. */
  static async connect(sockets: Sockets, path: string): Promise<LocalClient> {
    return new LocalClient(sockets, path, (await resultOf(ask(sockets, path, '/extent'))) as Extent)
  }

  get firstPosition(): number {
    return this.extent.firstPosition
  }

  /** As it was when the connection was made. */
  get nextPosition(): number {
    return this.extent.nextPosition
  }

  /** As it was then. */
  get away(): readonly AwayStore[] {
    return this.extent.away
  }

  async streams(): Promise<string[]> {
    return this.extent.streams
  }

  async status(): Promise<Status> {
    return (await resultOf(this.ask('/status'))) as Status
  }

  range({ streams, fromUs, toUs, before, recorded }: RangeQuery): AsyncGenerator<Frame[]> {
    const query = { stream: [...(streams ?? [])], from: fromUs, to: toUs, before, recorded: recorded ? 1 : undefined }
    return framesOf(this.ask('/frames', query))
  }

  async coverage(
    query: { streams?: readonly string[]; fromUs?: number; toUs?: number } = {}
  ): Promise<StreamCoverage[]> {
    const { streams, fromUs, toUs } = query
    return (await resultOf(this.ask('/coverage', { stream: streams, from: fromUs, to: toUs }))) as StreamCoverage[]
  }

  async verify(options: NonNullable<Parameters<JournalReader['verify']>[0]> = {}): Promise<VerifyReport> {
    return (await resultOf(this.ask('/verify', { since: options.since }), options.progress)) as VerifyReport
  }

  /** The frames of a stream that come within `ms` from now. */
  follow(stream: string, ms: Ms): AsyncGenerator<Frame[]> {
    return framesOf(this.ask('/follow', { stream, ms }))
  }

  /** Hands frames over to be appended; resolves when they are on the disk. */
  async import(frames: AsyncIterable<readonly ImportedFrame[]>): Promise<void> {
    await resultOf(ask(this.sockets, this.path, `/import?before=${this.nextPosition}`, itemsOf(frames)))
  }

  /** Hands over what a primary had counted of students; gives of how many it was taken. */
  async takeBases(bases: readonly StudentBase[]): Promise<number> {
    return (await resultOf(ask(this.sockets, this.path, '/graphs/bases', linesOf(bases)))) as number
  }

  captures(): Promise<CaptureStatus[]> {
    return resultOf(this.ask('/captures')) as Promise<CaptureStatus[]>
  }

  /** Makes a window of a capture now; gives its folders. */
  async runCapture(name: string, atUs: number | undefined, progress: (share: number) => void): Promise<string[]> {
    const query = new URLSearchParams({ name, ...(atUs !== undefined && { at: String(atUs) }) })
    const answer = ask(this.sockets, this.path, `/captures/run?${query}`, nothing())
    return (await resultOf(answer, (done, total) => progress(total > 0 ? done / total : 0))) as string[]
  }

  async repair(store?: number, progress?: (done: number, total: number) => void): Promise<RepairReport> {
    const path = `/repair${store === undefined ? '' : `?store=${store}`}`
    return (await resultOf(ask(this.sockets, this.path, path, nothing()), progress)) as RepairReport
  }

  /** The graphs of students whose id begins so. */
  async *students(idBegins: string): AsyncGenerator<StudentGraph> {
    for await (const messages of this.ask('/students', { user: idBegins })) {
      for (const message of messages) if ('item' in message) yield message.item as StudentGraph
    }
  }

  /** One pass of handing over. */
  async sync(recheck: boolean, progress: (share: number) => void): Promise<Report> {
    const path = `/sync${recheck ? '?recheck=1' : ''}`
    return (await resultOf(ask(this.sockets, this.path, path, nothing()), progress)) as Report
  }

  /** Makes it look for the data disk. */
  async lookForDisk(): Promise<DiskReport> {
    return (await resultOf(ask(this.sockets, this.path, '/disk', nothing()))) as DiskReport
  }

  private ask(path: string, query: Readonly<Record<string, QueryValue>> = {}): AsyncGenerator<Message[]> {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) search.append(name, String(one))
    }
    return ask(this.sockets, this.path, `${path}?${search}`)
  }
}

type QueryValue = string | number | readonly string[] | undefined

async function* ask(
  sockets: Sockets,
  socketPath: string,
  path: string,
  body?: AsyncIterable<Uint8Array>
): AsyncGenerator<Message[]> {
  const answer = await sockets.askLocal(socketPath, body ? { method: 'POST', path, body } : { method: 'GET', path })
  let ended = false
  for await (const messages of readMessages(answer.body)) {
    for (const message of messages) {
      if ('error' in message) throw errorOf(message.error)
      ended = 'result' in message
    }
    yield messages
  }
  if (!ended) throw new UnderstudyError('UNDERSTUDY_NOT_RUNNING', 'it ended in the middle of its answer')
}

async function resultOf(
  answer: AsyncIterable<Message[]>,
  progress?: (done: number, total: number) => void
): Promise<unknown> {
  let result: unknown
  for await (const messages of answer) {
    for (const message of messages) {
      if ('progress' in message) progress?.(...message.progress)
      if ('result' in message) result = message.result
    }
  }
  return result
}

async function* framesOf(answer: AsyncIterable<Message[]>): AsyncGenerator<Frame[]> {
  for await (const messages of answer) {
    const items = messages.filter((message) => 'item' in message)
    if (items.length > 0) yield items.map(({ item }) => frameFromJson(item as FrameJson))
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* linesOf(items: readonly unknown[]): AsyncGenerator<Uint8Array> {
  for (const item of items) yield Buffer.from(writeMessages([{ item }]))
}

async function* itemsOf(batches: AsyncIterable<readonly ImportedFrame[]>): AsyncGenerator<Uint8Array> {
  for await (const frames of batches) {
    const items = frames.map(({ payload, ...fields }) => ({
      item: { ...fields, payload: payload.toString('base64') }
    }))
    yield Buffer.from(writeMessages(items))
  }
}
