import { randomBytes } from 'node:crypto'
import { readdir, stat, statfs } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { systemCode } from '../../src/errors.ts'
import type { JournalEvent } from '../../src/journal/entry.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { RetentionLimits } from '../../src/journal/retention.ts'
import type { Log } from '../../src/log.ts'
import { realWorld } from '../../src/world/real.ts'
import { openJournal } from '../support/journals.ts'
import { ownDisk } from '../support/own-disk.ts'

const DISK_MB = 48
const STORE_BYTES = 1e6
const FRAME_BYTES = 100_000
/** One store too many before it is noticed, one that is begun, and what merging takes. */
const SLACK_BYTES = 5 * STORE_BYTES

type Removed = Extract<JournalEvent, { event: 'removed' }>

const own = ownDisk(DISK_MB, 'test')

async function space(): Promise<{ usedBytes: number; freeBytes: number }> {
  const { blocks, bfree, bavail, bsize } = await statfs(own.disk.path)
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize }
}

/** What the files on it take. */
async function namedBytes(): Promise<number> {
  let bytes = 0
  for (const { parentPath, name } of await readdir(own.disk.path, { recursive: true, withFileTypes: true })) {
    bytes += (await stat(`${parentPath}/${name}`)).blocks * 512
  }
  return bytes
}

/** What is on record and still there; anew when more is removed meanwhile. */
async function removalsIn(journal: Journal): Promise<Removed[]> {
  const cursor = journal.cursor()
  const found: Removed[] = []
  try {
    for (let some = await cursor.next(); some.length > 0; some = await cursor.next()) {
      for (const entry of some) if (entry.kind === 'event' && entry.event.event === 'removed') found.push(entry.event)
    }
  } catch (error) {
    if (systemCode(error) === 'UNDERSTUDY_CURSOR_TOO_OLD') return removalsIn(journal)
    throw error
  }
  return found
}

interface Told extends Pick<Removed, 'store' | 'fromPosition' | 'toPosition' | 'bytes' | 'confirmed' | 'pinned'> {
  readonly level: 'info' | 'warn'
}

test.each<[string, number, RetentionLimits]>([
  ['max_size', 12e6, { minFreeBytes: 0, maxBytes: 12e6 }],
  ['min_free', (DISK_MB - 24) * 1e6, { minFreeBytes: 24e6 }]
])(
  'ten times what %s allows: the disk never fills, and space really comes back',
  { timeout: 300_000 },
  async (_, allowedBytes, retention) => {
    const world = await realWorld()
    const told: Told[] = []
    const errors: string[] = []
    const line =
      (level: Told['level']) =>
      (fields: object): void => {
        if ('toPosition' in fields) told.push({ level, ...(fields as Omit<Told, 'level'>) })
      }
    const log: Log = { debug() {}, info: line('info'), warn: line('warn'), error: (_, text) => void errors.push(text) }
    const emptyBytes = (await space()).usedBytes
    const journal = await openJournal(world, `${own.disk.path}/data`, { storeBytes: STORE_BYTES, retention }, log)
    let mostBytes = 0
    let leastFree = Number.MAX_SAFE_INTEGER
    /** @param follows whether what comes is read, and known to be elsewhere, soon after */
    const write = async (bytes: number, follows: boolean): Promise<void> => {
      for (let written = 0; written < bytes; written += FRAME_BYTES) {
        const payload = randomBytes(FRAME_BYTES)
        const { position } = journal.append({ stream: 'spin30', payload, binary: true, origin: 'relay' })
        await journal.commit()
        if (follows && written % STORE_BYTES === 0) {
          await journal.confirm(Math.max(1, position - (2 * STORE_BYTES) / FRAME_BYTES))
          await journal.readers.commit(
            'reader',
            { position: Math.max(1, position - (3 * STORE_BYTES) / FRAME_BYTES) },
            []
          )
        }
        const { usedBytes, freeBytes } = await space()
        mostBytes = Math.max(mostBytes, usedBytes - emptyBytes)
        leastFree = Math.min(leastFree, freeBytes)
      }
    }
    await write(5 * allowedBytes, true)
    // What is known to be elsewhere, and read, has sufficed.
    expect(told.length).toBeGreaterThan((4 * allowedBytes) / STORE_BYTES / 2)
    expect(told.filter(({ confirmed, pinned }) => !confirmed || pinned)).toEqual([])

    await write(5 * allowedBytes, false)
    await journal.merged()
    await journal.commit()
    const onRecord = await removalsIn(journal)
    const firstLoss = told.findIndex(({ confirmed, pinned }) => !confirmed || pinned)
    expect(firstLoss).toBeGreaterThan(0)
    const losses = told.slice(firstLoss)
    // Once it has come to that, nothing was left that could have gone before.
    expect(losses.every(({ level, confirmed, pinned }) => level === 'warn' && (!confirmed || pinned))).toBe(true)
    expect(losses.length).toBeGreaterThan(allowedBytes / STORE_BYTES)
    expect(errors).toEqual([])

    // Each is on record, as long as its record is kept; from the first position on they follow each other.
    let position = 1
    for (const { fromPosition, toPosition } of told) {
      expect(fromPosition).toBe(position)
      position = toPosition
    }
    expect(journal.firstPosition).toBe(position)
    expect(onRecord.length).toBeGreaterThan(1)
    expect(onRecord.map(({ store }) => store)).toEqual(told.slice(-onRecord.length).map(({ store }) => store))
    expect((await journal.verify()).problems).toEqual([])
    const [coverage] = await journal.coverage()
    expect(coverage?.rest[0]).toMatchObject({ cause: 'not kept' })

    expect(mostBytes).toBeLessThan(allowedBytes + SLACK_BYTES)
    expect(leastFree).toBeGreaterThan(retention.minFreeBytes - SLACK_BYTES)
    await journal.merged()
    await journal.close()
    const usedBytes = (await space()).usedBytes - emptyBytes
    const removedBytes = told.reduce((sum, { bytes }) => sum + bytes, 0)
    console.log(
      `${Math.round((10 * allowedBytes) / 1e6)} MB written, ${Math.round(removedBytes / 1e6)} MB removed; the file ` +
        `system held ${Math.round(mostBytes / 1e6)} MB at most, ${Math.round(usedBytes / 1e6)} MB in the end`
    )
    // Nothing takes room that has no name any more.
    expect(usedBytes).toBeLessThan((await namedBytes()) + 100_000)
  }
)
