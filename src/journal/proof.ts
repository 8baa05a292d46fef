import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Files } from '../world/files.ts'
import type { Ms, Timer } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Position } from './entry.ts'

/*
 * The mark PROVED in the newest store's folder says what need not be read again when it is next opened. A table never
 * changes once LevelDB has written it: one that was written in this boot, and has the same size, time and inode still,
 * is what it was. After a power cut or a restart of the machine the mark counts only if the store was closed as it
 * should and not a file has changed since.
 *
 * Two lines: SHA-256 of the second, and that, as JSON (`Mark`).
 */
const NAME = 'PROVED'
/** It is made anew when so much was written. */
const EVERY_BYTES = 4 * 1024 * 1024
/**
 * Nor before this time after an opening: a table that has rotted since it was marked can make LevelDB end the process.
 * The mark is gone by then, and the next start proves everything.
 */
const SETTLED_MS: Ms = 60_000

type Identity = readonly [sizeBytes: number, modifiedMs: number, inode: number]

interface Mark {
  readonly boot: string
  /** All entries before it are in tables, without a hole. */
  readonly position: Position
  readonly tables: Readonly<Record<string, Identity>>
  readonly manifest: { readonly name: string; readonly sizeBytes: number }
  /** Where it ended when it was closed, and the CRC-32 of each file that is no table. */
  readonly closed?: { readonly nextPosition: Position; readonly chain: string; readonly files: Record<string, number> }
}

/** What is known of a store that was not opened yet. */
export interface Proof {
  /** The tables that need not be read. */
  readonly tables: ReadonlySet<string>
  /** Everything before it is in tables, without a hole. */
  readonly position: Position
  /** Where it ends, if nothing at all has changed since it was closed. */
  readonly end?: { readonly nextPosition: Position; readonly chain: Buffer }
}

/** Takes the mark away and gives what it says, if that still counts. */
export async function takeProof(world: World, directory: string): Promise<Proof | undefined> {
  const proof = await readProof(world, directory)
  try {
    if (proof) await world.files.remove(`${directory}/${NAME}`)
    return proof
  } catch {
    return undefined
  }
}

async function readProof({ files, clock }: World, directory: string): Promise<Proof | undefined> {
  try {
    const mark = readMark(await files.readFile(`${directory}/${NAME}`))
    if (!mark) return undefined
    const found = await look(files, directory)
    // One that is gone was compacted since; one that is another is nothing that LevelDB does.
    const tables = new Set(Object.keys(mark.tables).filter((name) => found.tables[name]))
    for (const name of tables) if (!same(mark.tables[name], found.tables[name])) return undefined
    const { position, manifest, closed } = mark
    if (
      closed &&
      tables.size === Object.keys(found.tables).length &&
      (await unchanged(files, directory, closed.files))
    ) {
      const { nextPosition, chain } = closed
      return { tables, position, end: { nextPosition, chain: Buffer.from(chain, 'hex') } }
    }
    const grown = found.manifest.name === manifest.name && found.manifest.sizeBytes >= manifest.sizeBytes
    return mark.boot === clock.boot && grown ? { tables, position } : undefined
  } catch {
    // There is none, or nothing can be said: then all is read.
    return undefined
  }
}

/** Keeps the mark of a store while it is written. */
export class ProofKeeper {
  readonly #world: World
  readonly #directory: string
  readonly #timer: Timer
  /** Everything before it is in tables. */
  #inTables: Position
  #committed: Position
  /** The logs there were when everything before `position` had been committed: when they are gone, it is in tables. */
  #seen: { readonly logs: readonly string[]; readonly position: Position } | undefined
  #tables: Record<string, Identity> = {}
  #settled: boolean
  #bytes = 0
  #work: Promise<void> | undefined
  #ended = false

  private constructor(world: World, directory: string, committed: Position, inTables: Position, settled: boolean) {
    this.#world = world
    this.#directory = directory
    this.#committed = committed
    this.#inTables = inTables
    this.#settled = settled
    this.#timer = world.timers.after(SETTLED_MS, () => {
      this.#settled = true
      this.#begin()
    })
  }

  /**
   * To be called before anything is written to a store that has just been opened or made.
   * @param committed everything in it lies before this position
   * @param made whether there is nothing in it
   */
  static async start(world: World, directory: string, committed: Position, made: boolean): Promise<ProofKeeper> {
    const { logs } = await look(world.files, directory)
    // What a log had held was put into a table when the store was opened.
    const sizes = await Promise.all(logs.map((name) => world.files.info(`${directory}/${name}`)))
    const inTables = made || sizes.every((info) => !info || info.sizeBytes === 0)
    return new ProofKeeper(world, directory, committed, inTables ? committed : 0, made)
  }

  /** @param committed everything before it is on the disk; `bytes` how much is written now */
  writing(committed: Position, bytes: number): void {
    this.#committed = committed
    this.#bytes += bytes
    if (this.#settled && this.#bytes >= EVERY_BYTES) this.#begin()
  }

  /** Says no more. */
  async end(): Promise<void> {
    this.#ended = true
    this.#timer.cancel()
    await this.#work
  }

  /** The store has been closed, and ends there. */
  async close(nextPosition: Position, chain: Buffer): Promise<void> {
    if (this.#ended) return
    await this.end()
    await this.#mark({ nextPosition, chain: chain.toString('hex') }).catch(() => {})
  }

  /** Where it cannot be written the next start takes longer, no more. */
  #begin(): void {
    this.#bytes = 0
    if (this.#ended) return
    this.#work ??= this.#mark()
      .catch(() => {})
      .finally(() => {
        this.#work = undefined
      })
  }

  async #mark(end?: { nextPosition: Position; chain: string }): Promise<void> {
    const { files, clock } = this.#world
    const committed = this.#committed
    const { tables, logs, manifest } = await look(files, this.#directory)
    if (this.#seen && !this.#seen.logs.some((name) => logs.includes(name))) {
      this.#inTables = this.#seen.position
      this.#seen = undefined
    }
    this.#seen ??= { logs, position: committed }
    for (const [name, identity] of Object.entries(tables)) {
      if (!same(identity, this.#tables[name])) await sync(files, `${this.#directory}/${name}`)
    }
    this.#tables = tables
    const closed = end && { ...end, files: await checksums(files, this.#directory) }
    const mark: Mark = { boot: clock.boot, position: this.#inTables, tables, manifest, ...(closed && { closed }) }
    await files.writeFile(`${this.#directory}/${NAME}.new`, writeMark(mark), 0o640)
    await files.rename(`${this.#directory}/${NAME}.new`, `${this.#directory}/${NAME}`)
  }
}

/** LevelDB has done so before it relies on a table; this does not need to know when. */
async function sync(files: Files, path: string): Promise<void> {
  const file = await files.open(path, 'edit')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

interface Found {
  readonly tables: Record<string, Identity>
  readonly logs: readonly string[]
  readonly manifest: Mark['manifest']
}

async function look(files: Files, directory: string): Promise<Found> {
  const tables: Record<string, Identity> = {}
  const logs: string[] = []
  for (const { name } of await files.list(directory)) {
    if (name.endsWith('.log')) logs.push(name)
    if (!name.endsWith('.ldb')) continue
    const info = await files.info(`${directory}/${name}`)
    if (info) tables[name] = [info.sizeBytes, info.modifiedMs, info.inode]
  }
  const name = (await files.readFile(`${directory}/CURRENT`)).toString('latin1').trimEnd()
  const sizeBytes = (await files.info(`${directory}/${name}`))?.sizeBytes ?? 0
  return { tables, logs, manifest: { name, sizeBytes } }
}

/** Of each file that LevelDB reads when it opens a store, besides tables. */
async function checksums(files: Files, directory: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const { name } of await files.list(directory)) {
    if (/^CURRENT$|^MANIFEST-|\.log$/.test(name)) found[name] = crc32(await files.readFile(`${directory}/${name}`))
  }
  return found
}

async function unchanged(files: Files, directory: string, before: Record<string, number>): Promise<boolean> {
  const now = await checksums(files, directory)
  const names = Object.keys(before)
  return names.length === Object.keys(now).length && names.every((name) => before[name] === now[name])
}

function same(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((value, index) => value === b[index])
}

function writeMark(mark: Mark): string {
  const json = JSON.stringify(mark)
  return `${hash('sha256', json)}\n${json}\n`
}

function readMark(content: Buffer): Mark | undefined {
  const [digest, json = ''] = content.toString('utf8').split('\n')
  return digest === hash('sha256', json) ? (JSON.parse(json) as Mark) : undefined
}
