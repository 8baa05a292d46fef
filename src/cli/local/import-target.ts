import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ImportedFrame, ImportTarget } from '../../captures/import.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'
import type { RangeQuery } from '../../journal/reading.ts'
import type { World } from '../../world/world.ts'
import type { LocalClient } from './client.ts'
import { appendImported } from './intake.ts'
import { connectRunning, requireRunning } from './open.ts'
import type { OwnJournal } from './own-journal.ts'

/** Where files are imported into, one after the other. */
export interface ImportTargets {
  /** For one file: what the journal holds at this moment is what is known. */
  next(): Promise<ImportTarget>
  close(): Promise<void>
}

/**
 * The journal of the Understudy that runs on a data folder, by asking it, or where none does the one that `own` opens.
 */
export async function openImportTargets(
  world: World,
  dataDirectory: string,
  own: () => Promise<{ readonly journal: OwnJournal; close(): Promise<void> }>
): Promise<ImportTargets> {
  if ((await connectRunning(world, dataDirectory)) === undefined) return ownTargets(await own())
  let target: RemoteTarget | undefined
  return {
    async next() {
      target = new RemoteTarget(await requireRunning(world, dataDirectory))
      return target
    },
    async close() {
      target?.close()
    }
  }
}

function ownTargets(own: { readonly journal: OwnJournal; close(): Promise<void> }): ImportTargets {
  const { journal } = own
  return {
    next: async () => ({
      firstPosition: journal.firstPosition,
      nextPosition: journal.nextPosition,
      range: (query) => journal.range(query),
      append: (frames) => appendImported(journal, frames),
      commit: () => journal.commit()
    }),
    close: () => own.close()
  }
}

/** Appends by one long request, which begins with the first frame and ends with `commit`. */
class RemoteTarget implements ImportTarget {
  private readonly client: LocalClient
  private readonly batches = new PassThrough({ objectMode: true, highWaterMark: 2 })
  private answered: Promise<void> | undefined

  constructor(client: LocalClient) {
    this.client = client
  }

  get firstPosition(): number {
    return this.client.firstPosition
  }

  get nextPosition(): number {
    return this.client.nextPosition
  }

  range(query: RangeQuery): AsyncIterable<Frame[]> {
    return this.client.range(query)
  }

  async append(frames: readonly ImportedFrame[]): Promise<void> {
    this.answered ??= this.client.import(this.batches)
    // an answer before the end is a refusal
    const refused = this.answered.then(() => Promise.reject(new UnderstudyError('UNDERSTUDY_NOT_RUNNING')))
    refused.catch(() => {})
    if (!this.batches.write(frames)) await Promise.race([once(this.batches, 'drain'), refused])
  }

  async commit(): Promise<void> {
    this.batches.end()
    await this.answered
  }

  /** Ends the request, wherever it is. */
  close(): void {
    this.batches.destroy()
  }
}
