import type { Operation, Range, Scan, Store } from '../../world/stores.ts'
import type { Folder } from './folder.ts'
import type { FileNode } from './node.ts'
import type { Process } from './process.ts'
import { SortedMap } from './sorted-map.ts'
import {
  beginManifest,
  encodeEdition,
  numbered,
  readEdition,
  readLog,
  readTable,
  removeObsolete,
  writeTable
} from './store-files.ts'
import { decodeOperations, type Edition, encodeOperations, encodeRecord, type StoredOperation } from './store-format.ts'

const scanBytes = 1_000_000

/**
 * An open store. Everything in it is in memory too; its files are written as LevelDB writes them: a batch goes into a
 * log, a full log becomes a table, the manifest says which of them count.
 */
export class SimulatedStore implements Store {
  readonly #process: Process
  readonly #folder: Folder
  readonly #bufferBytes: number
  readonly #unlock: () => void
  readonly #generation: number
  readonly #map = new SortedMap()
  readonly #manifest: FileNode
  #edition: Edition
  #log: FileNode
  /** In the log, not in a table yet. */
  #recent: StoredOperation[] = []
  #tableBytes = 0
  #open = true
  /** Why it takes no more writes. */
  #broken: unknown
  /** A table that can't be read: what touches it fails. */
  #damaged = false

  /** Opens what is in the folder, or begins a new store when there is no edition. Throws what LevelDB would refuse it for. */
  constructor(process: Process, folder: Folder, bufferBytes: number, create: boolean, unlock: () => void) {
    this.#process = process
    this.#folder = folder
    this.#bufferBytes = bufferBytes
    this.#unlock = unlock
    this.#generation = folder.disk.generation
    const before: Edition = create ? { tables: [], log: 0, next: 1 } : readEdition(folder)
    const tables = [...before.tables]
    for (const table of tables) {
      const decoded = readTable(folder, numbered(table, 'ldb'))
      if (!decoded.whole) this.#damaged = true
      this.#apply(decoded.operations)
      this.#tableBytes += folder.file(numbered(table, 'ldb'))!.size
    }
    let { next } = before
    const log = numbered(before.log, 'log')
    const recent = folder.file(log) ? readLog(folder, log) : []
    if (recent.length > 0) {
      writeTable(folder, next, recent)
      this.#tableBytes += folder.file(numbered(next, 'ldb'))!.size
      tables.push(next++)
      this.#apply(recent)
    }
    const manifest = next++
    this.#edition = { tables, log: next, next: next + 1 }
    this.#log = folder.create(numbered(this.#edition.log, 'log'))
    this.#manifest = beginManifest(folder, manifest, this.#edition)
    removeObsolete(folder, this.#edition, this.#manifest)
  }

  get(key: Uint8Array): Promise<Buffer | undefined> {
    return this.#process.io(0, () => {
      this.#checkReading()
      const value = this.#map.get(key)
      return value && Buffer.from(value)
    })
  }

  async batch(operations: Operation[], options: { sync: boolean }): Promise<void> {
    const { disk } = this.#folder
    const ended = await this.#process.io(disk.delayUs(options.sync ? 'sync' : 'change'), () => {
      this.#checkWriting()
      return this.#writing(() => {
        const payload = encodeOperations(operations)
        this.#folder.append(this.#log, encodeRecord(payload))
        const stored = decodeOperations(payload).operations
        this.#apply(stored)
        for (const operation of stored) this.#recent.push(operation)
        const synced = options.sync ? disk.sync(this.#log) : undefined
        if (this.#log.size >= this.#bufferBytes) this.#flush()
        return synced
      })
    })
    if (options.sync && this.#generation !== disk.generation) throw ioError('the disk is gone')
    ended?.()
  }

  scan(range: Range): Scan {
    // Taken now: the range is as it is at this moment.
    const pairs = this.#open ? this.#map.range(copied(range)) : undefined
    let next = pairs?.next()
    return {
      next: (count) =>
        this.#process.io(0, () => {
          this.#checkReading()
          const found: Array<[Buffer, Buffer]> = []
          let bytes = 0
          while (next && !next.done && found.length < count && bytes < scanBytes) {
            const [key, value] = next.value
            found.push([Buffer.from(key), Buffer.from(value)])
            bytes += key.length + value.length
            next = pairs?.next()
          }
          return found
        }),
      close: () =>
        this.#process.io(0, () => {
          next = undefined
        })
    }
  }

  compact(): Promise<void> {
    return this.#process.io(this.#folder.disk.delayUs('sync'), () => {
      this.#checkWriting()
      this.#checkReading()
      this.#writing(() => this.#merge())
    })
  }

  close(): Promise<void> {
    return this.#process.io(0, () => {
      this.#open = false
      this.#unlock()
    })
  }

  #apply(operations: readonly StoredOperation[]): void {
    for (const [key, value] of operations) {
      if (value) this.#map.put(key, value)
      else this.#map.delete(key)
    }
  }

  /** The log's content becomes a table. */
  #flush(): void {
    if (this.#tableBytes > 2 * this.#map.bytes + this.#bufferBytes && !this.#damaged) {
      this.#merge()
      return
    }
    const { tables, next } = this.#edition
    writeTable(this.#folder, next, this.#recent)
    this.#tableBytes += this.#folder.file(numbered(next, 'ldb'))!.size
    this.#edit([...tables, next])
  }

  /** Everything becomes one table. */
  #merge(): void {
    const { next } = this.#edition
    writeTable(this.#folder, next, [...this.#map.range({})])
    this.#tableBytes = this.#folder.file(numbered(next, 'ldb'))!.size
    this.#edit([next])
  }

  /** Ends the log, whose content is in the last of these tables. */
  #edit(tables: readonly number[]): void {
    const log = this.#edition.next + 1
    this.#edition = { tables, log, next: log + 1 }
    this.#log = this.#folder.create(numbered(log, 'log'))
    this.#folder.append(this.#manifest, encodeEdition(this.#edition))
    this.#folder.disk.sync(this.#manifest)()
    this.#recent = []
    removeObsolete(this.#folder, this.#edition, this.#manifest)
  }

  /** After one write has failed, each later one fails. */
  #writing<T>(write: () => T): T {
    try {
      return write()
    } catch (error) {
      this.#broken = ioError(String((error as Error).message), error)
      throw this.#broken
    }
  }

  #checkWriting(): void {
    this.#check()
    if (this.#broken) throw this.#broken
  }

  #checkReading(): void {
    this.#check()
    if (this.#damaged) throw Object.assign(new Error('Corruption: bad block'), { code: 'LEVEL_CORRUPTION' })
    if (this.#folder.disk.unreadable) throw ioError('Input/output error')
  }

  #check(): void {
    if (!this.#open) throw Object.assign(new Error('Database is not open'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
    if (this.#generation !== this.#folder.disk.generation) throw ioError('the disk is gone')
  }
}

function ioError(what: string, cause?: unknown): Error {
  return Object.assign(new Error(`IO error: ${what}`, { cause }), { code: 'LEVEL_IO_ERROR' })
}

function copied(range: Range): Range {
  const copy = (key: Uint8Array | undefined): Buffer | undefined => key && Buffer.from(key)
  const bounds = { gt: copy(range.gt), gte: copy(range.gte), lt: copy(range.lt), lte: copy(range.lte) }
  return { ...range, ...Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound)) }
}
