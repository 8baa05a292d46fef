import { access, readdir, readFile } from 'node:fs/promises'
import { Level } from 'level'
import { systemCode, UnderstudyError } from '../../errors.ts'
import type { Store, Stores } from '../stores.ts'
import { logFragments } from './logs.ts'
import { fragments, isWholeTable } from './tables.ts'

/** What `level` has on Node besides the types it declares. */
interface Native {
  compactRange(start: Buffer, end: Buffer): Promise<void>
}
const { repair } = Level as unknown as { repair(directory: string): Promise<void> }

const TABLE = /\.(ldb|sst)$/
const CALL_BYTES = 1024 * 1024
/** Below and above every key there is: no key of ours begins with 0xff. */
const FIRST = Buffer.alloc(0)
const LAST = Buffer.alloc(8, 0xff)

const options = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  // Blocks come compressed, and keys are short and share their beginnings, which LevelDB leaves out by itself. Snappy
  // would save little more, and would spread a flipped bit over its whole table block.
  compression: false,
  cacheSize: 1024 * 1024,
  maxOpenFiles: 64
}

export const realStores: Stores = {
  async open(directory, { create, writeBufferBytes = 4 * 1024 * 1024 }) {
    await (create ? refuseOldTables(directory) : refuseMissing(directory))
    const level = new Level<Uint8Array, Uint8Array>(directory, {
      ...options,
      createIfMissing: create,
      errorIfExists: create,
      writeBufferSize: writeBufferBytes
    })
    try {
      await level.open()
    } catch (error) {
      await level.close()
      // abstract-level says only that it isn't open; the cause says why.
      const cause = (error as Error).cause ?? error
      const locked = systemCode(cause) === 'LEVEL_LOCKED'
      throw new UnderstudyError(locked ? 'UNDERSTUDY_STORE_IN_USE' : 'UNDERSTUDY_STORE_UNREADABLE', directory, {
        cause
      })
    }
    return storeOf(level)
  },
  async repair(directory) {
    try {
      await repair(directory)
    } catch (cause) {
      throw unreadable(directory, cause)
    }
  },
  async damagedTables(directory, except) {
    const damaged: string[] = []
    for (const name of await readdir(directory)) {
      if (!TABLE.test(name) || except?.has(name)) continue
      const table = await readIfThere(`${directory}/${name}`)
      if (table && !isWholeTable(table)) damaged.push(name)
    }
    return damaged
  },
  async fragments(file, keyBytes) {
    const content = await readFile(file)
    return file.endsWith('.log') ? logFragments(content, keyBytes) : fragments(content, keyBytes)
  }
}

/** Whoever has the store open removes tables that it has merged. */
async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function storeOf(level: Level<Uint8Array, Uint8Array>): Store {
  return {
    get: (key) => level.get(key) as Promise<Buffer | undefined>,
    batch: (operations, { sync }) => level.batch(operations, { sync }),
    scan(range) {
      const iterator = level.iterator({ ...range, highWaterMarkBytes: CALL_BYTES })
      return {
        next: (count) => iterator.nextv(count) as Promise<Array<[Buffer, Buffer]>>,
        close: () => iterator.close()
      }
    },
    compact: () => (level as unknown as Native).compactRange(FIRST, LAST),
    close: () => level.close()
  }
}

/** LevelDB would make the folder, and leave a lock and a log in it, before it finds that there is no store. */
async function refuseMissing(directory: string): Promise<void> {
  try {
    await access(`${directory}/CURRENT`)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
}

/** Where CURRENT is lost, LevelDB takes the store for a new one and deletes its tables. */
async function refuseOldTables(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  const table = names.find((name) => /\.(ldb|sst|log)$/.test(name))
  if (table) throw unreadable(directory, new Error(`${table} is there already`))
}

function unreadable(directory: string, cause: unknown): UnderstudyError {
  return new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', directory, { cause })
}
