import { beforeEach, expect, test } from 'vitest'
import { validate } from '../config/validate.ts'
import { UnderstudyError } from '../errors.ts'
import type { Entry } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { systemError } from '../sim/world/system-error.ts'
import { AwaitedJournal } from './awaited-journal.ts'

const DATA = '/data'
const checked = validate({ data: { directory: DATA }, clock: { trust: true }, capture: [] })
if (!('config' in checked)) throw new Error('the config is wrong')
const { config } = checked

let simulation: Simulation
let pi: Machine
let lines: string[]

const line =
  (level: string) =>
  (fields: object, message: string): void => {
    lines.push(`${level}: ${message} ${JSON.stringify(fields)}`)
  }
const log: Log = { debug() {}, info: line('info'), warn: line('warn'), error: line('error') }

beforeEach(() => {
  simulation = new Simulation(7)
  pi = simulation.machine('pi', { diskBytes: 50e6 })
  lines = []
})

function open(waitsForDisk = true, world = pi.world): Promise<AwaitedJournal> {
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const options = { config, user: { env: {}, uid: 1000 }, reserveBytes: 0, waitsForDisk }
  return simulation.complete(AwaitedJournal.open(world, options, recording, log))
}

async function entriesOf(journal: Journal): Promise<Entry[]> {
  await simulation.complete(journal.commit())
  return simulation.complete(journal.cursor({ position: 1 }).next(1e9))
}

/** A frame, a proof, and a loss, seconds apart. */
async function hear({ hearing }: AwaitedJournal): Promise<void> {
  hearing.added('spin30')
  await simulation.run(1000)
  hearing.heard('spin30')
  await simulation.run(1000)
  hearing.frame('spin30', Buffer.from('{"a":1}'), false)
  for (let proofs = 0; proofs < 3; proofs++) {
    await simulation.run(1000)
    hearing.proof('spin30')
  }
  await simulation.run(1000)
  hearing.lost('spin30', 'disconnected')
}

/** What is on record of a hearing, in ms since `from`. */
async function recorded(journal: Journal, from: number): Promise<unknown[]> {
  const entries = await entriesOf(journal)
  const begun = entries.findLastIndex((entry) => entry.kind === 'event' && entry.event.event === 'start')
  return entries.slice(begun).flatMap((entry) => {
    const atMs = Math.round((entry.monoUs - from) / 1000)
    if (entry.kind === 'frame') return [[atMs, entry.payload.toString()]]
    if (entry.event.event === 'gap') return [[atMs, 'gap', Math.round((entry.event.sinceUs - from) / 1000)]]
    return entry.event.event === 'standing' ? [] : [[atMs, entry.event.event]]
  })
}

const heardAs = [
  [0, 'start'],
  [0, 'stream'],
  [0, 'gap', 0],
  [1000, 'heard'],
  [2000, '{"a":1}'],
  [6000, 'gap', 5000]
]

test('what is heard while a full disk lets no journal open is on record, as of its time, once there is room', async () => {
  pi.disk.capacityBytes = 0
  const from = pi.clock.monoUs()
  const awaited = await open()
  await hear(awaited)
  expect(() => awaited.journal).toThrow(expect.objectContaining({ code: 'UNDERSTUDY_NO_ROOM' }))
  expect(awaited.pendingBytes).toBeGreaterThan(7)
  await simulation.run(120_000)
  expect(lines.filter((text) => text.startsWith('error: nothing is recorded'))).toHaveLength(3)
  pi.disk.capacityBytes = 50e6
  await simulation.run(1500)
  await awaited.opened
  expect(await recorded(awaited.journal, from)).toEqual(heardAs)
  awaited.hearing.heard('spin30')
  await simulation.complete(awaited.close())
  expect(lines.filter((text) => text.startsWith('error'))).toHaveLength(3)
})

test('a disk that is full behind a journal lets it go on as soon as there is room', async () => {
  const before = await open()
  await hear(before)
  await simulation.complete(before.close())
  pi.disk.readOnly = true
  const from = pi.clock.monoUs()
  const awaited = await open()
  await hear(awaited)
  pi.clock.step(60_000_000)
  await simulation.run(1000)
  awaited.hearing.proof('spin30')
  pi.disk.readOnly = false
  await simulation.run(1500)
  expect(await recorded(awaited.journal, from)).toEqual([...heardAs, [7000, 'clock']])
  const [coverage] = await simulation.complete(awaited.journal.coverage({ streams: ['spin30'] }))
  expect(coverage?.rest.map(({ kind, cause }) => [kind, cause])).toEqual([
    ['gap', 'connecting'],
    ['gap', 'disconnected'],
    ['gap', 'connecting'],
    ['gap', 'disconnected']
  ])
  await simulation.complete(awaited.close())
})

test('a disk that fills while the journal is being opened does not hold up the start', async () => {
  const before = await open()
  await simulation.complete(before.close())
  const { stores } = pi.world
  let full = true
  const world = {
    ...pi.world,
    stores: {
      ...stores,
      damagedTables: stores.damagedTables.bind(stores),
      async open(path: string, how: { create: boolean }) {
        const store = await stores.open(path, how)
        const batch: typeof store.batch = (operations, options) =>
          full && path.includes('/stores/')
            ? Promise.reject(Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' }))
            : store.batch(operations, options)
        const own = { batch, close: () => store.close(), get: store.get.bind(store), scan: store.scan.bind(store) }
        return Object.assign(Object.create(store), own)
      }
    }
  }
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const options = { config, user: { env: {}, uid: 1000 }, reserveBytes: 0 }
  const awaited = await simulation.complete(AwaitedJournal.open(world, options, recording, log), 5000)
  awaited.hearing.heard('spin30')
  await simulation.run(3000)
  expect(awaited.journal.pendingBytes).toBeGreaterThan(0)
  full = false
  await simulation.run(5000)
  expect(awaited.journal.pendingBytes).toBe(0)
  await simulation.complete(awaited.close())
})

test('where there is no room to the end, it says what is lost', async () => {
  pi.disk.capacityBytes = 0
  const awaited = await open()
  await hear(awaited)
  await expect(simulation.complete(awaited.close(), 2000)).rejects.toMatchObject({ code: 'UNDERSTUDY_NO_ROOM' })
  expect(lines.at(-1)).toMatch(/it is lost \{"frames":1,/)
})

test('a disk that cannot be read for a while is waited for, and what was heard meanwhile is on record', async () => {
  const before = await open()
  await simulation.complete(before.close())
  pi.disk.unreadable = true
  const awaited = await open()
  expect(awaited.failure).toBe('disk failed')
  awaited.hearing.frame('spin30', Buffer.from('{"a":1}'), false)
  expect(() => awaited.journal).toThrow(expect.objectContaining({ code: 'UNDERSTUDY_DATA_FAILED' }))
  await simulation.run(10_000)
  expect(lines.at(-1)).toMatch(/^error: nothing is recorded: .*EIO/)
  pi.disk.unreadable = false
  await simulation.run(1500)
  await awaited.opened
  expect(awaited.failure).toBeUndefined()
  expect((await entriesOf(awaited.journal)).filter(({ kind }) => kind === 'frame')).toHaveLength(1)
  expect(await simulation.complete(pi.world.files.info(`${config.data.directory}/aside`))).toBeUndefined()
  await simulation.complete(awaited.close())
})

const denied = Object.assign(new Error('IO error: /data/readers/LOCK: Permission denied'), { code: 'LEVEL_IO_ERROR' })

test.each([
  ['EACCES', systemError('EACCES', 'open')],
  ['Permission denied', denied]
])('what may not be written is not waited for, and is told of by a code: %s', async (why, cause) => {
  const before = await open()
  await simulation.complete(before.close())
  const { world } = pi
  const stores = Object.assign(Object.create(world.stores), {
    damagedTables: async () => [],
    open: async (path: string) => {
      throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', path, { cause })
    }
  })
  await expect(open(true, { ...world, stores })).rejects.toMatchObject({
    code: 'UNDERSTUDY_DATA_FAILED',
    detail: `${config.data.directory}: ${why}`
  })
})

test('whoever opens it acts as whom the data folder belongs to', async () => {
  const awaited = await open()
  expect(pi.host.writtenAs).toEqual([config.data.directory])
  await simulation.complete(awaited.close())
})

test('who does not wait is told at once', async () => {
  pi.disk.capacityBytes = 0
  await expect(open(false)).rejects.toMatchObject({ code: 'UNDERSTUDY_NO_ROOM' })
})

test('one that waits gives up when another records into the folder', async () => {
  pi.disk.capacityBytes = 0
  const waiting = await open()
  pi.disk.capacityBytes = 50e6
  const first = pi.world
  pi.start()
  const other = await open()
  expect(pi.world).not.toBe(first)
  await simulation.run(2000)
  await expect(waiting.opened).rejects.toMatchObject({ code: 'UNDERSTUDY_ALREADY_RUNNING' })
  await simulation.complete(other.close())
})
