import { beforeEach, expect, test } from 'vitest'
import { frame } from '../../../test/support/memory-journal.ts'
import { StudentGraphs } from '../../analytics/student-graphs.ts'
import { Captures } from '../../captures/captures.ts'
import { importLines } from '../../captures/import.ts'
import { Journal } from '../../journal/journal.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import type { Sync } from '../../sync/sync.ts'
import type { World } from '../../world/world.ts'
import { LocalClient } from './client.ts'
import { openImportTargets } from './import-target.ts'
import { readMessages } from './protocol.ts'
import { serveCommands } from './server.ts'
import type { Status } from './status.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const never = (): never => {
  throw new Error('it asks the one that runs')
}

let simulation: Simulation
let asking: World
let journal: Journal

beforeEach(async () => {
  simulation = new Simulation(5)
  const machine = simulation.machine('pi')
  const serving = machine.world
  const options = { directory: '/data', commitIntervalMs: 500, storeBytes: 1e8, storeAgeMs: 1e9, reserveBytes: 0 }
  await simulation.complete(
    (async () => {
      journal = await Journal.open(serving, { ...options, clockTrusted: true, version: 'test' }, quiet)
      await serveCommands(serving, '/data/run.sock', {
        journal,
        captures: new Captures(
          serving,
          journal,
          { directory: '/data', site: 'north', version: 'test', captures: [] },
          quiet
        ),
        graphs: new StudentGraphs(serving, journal, quiet),
        sync: { status: async () => ({}) } as unknown as Sync,
        status: () => ({ streams: [] }) as unknown as Status
      })
    })()
  )
  asking = machine.start()
})

async function collected<T>(batches: AsyncIterable<T[]>): Promise<T[]> {
  const found: T[] = []
  for await (const batch of batches) found.push(...batch)
  return found
}

const connect = (): Promise<LocalClient> => LocalClient.connect(asking.sockets, '/data/run.sock')
const targets = (): ReturnType<typeof openImportTargets> => openImportTargets(asking, '/data', never)

async function* content(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

test('frames come over the socket as they are', async () => {
  const payloads = [Buffer.from([0xff, 0x00]), Buffer.alloc(0), Buffer.alloc(200_000, '{')]
  for (const payload of payloads) journal.append({ stream: 'spin30', payload, binary: true, origin: 'relay' })
  await simulation.complete(journal.commit())
  const here = await simulation.complete(collected(journal.range({})))
  const client = await simulation.complete(connect())
  const there = await simulation.complete(collected(client.range({})))
  expect(there).toEqual(here)
  expect(there.map(({ payload }) => payload)).toEqual(payloads)
  expect(client.nextPosition).toBe(journal.nextPosition)
})

test('an error of the far side is the same error here', async () => {
  const failed = simulation.complete(connect().then((client) => collected(client.follow('spin30', 1000))))
  await expect(failed).rejects.toMatchObject({ code: 'UNDERSTUDY_UNKNOWN_STREAM' })
})

test('of two imports at once one is refused, whether the other still goes on or has ended since', async () => {
  const outcomes = await simulation.complete(
    (async () => {
      const [one, two, late] = await Promise.all([targets(), targets(), targets()])
      const frames = (count: number): ReturnType<typeof frame>[] => Array.from({ length: count }, () => frame())
      const [first, second, third] = await Promise.all([one.next(), two.next(), late.next()])
      await first.append(frames(1))
      const busy = second.append(frames(1)).then(() => second.commit())
      const refused = await busy.then(
        () => 'done',
        ({ code }) => code
      )
      await first.commit()
      await third.append(frames(1))
      const tooLate = await third.commit().then(
        () => 'done',
        ({ code }) => code
      )
      const again = await late.next()
      await again.append(frames(1))
      return [refused, tooLate, await again.commit().then(() => 'done')]
    })()
  )
  expect(outcomes).toEqual(['UNDERSTUDY_IMPORT_BUSY', 'UNDERSTUDY_IMPORT_BUSY', 'done'])
  expect(await simulation.complete(collected(journal.range({})))).toHaveLength(2)
})

test('an import of many frames arrives whole', async () => {
  const text = Array.from({ length: 3000 }, (_, t) => `{"t":${t + 1}}\n`).join('')
  const report = await simulation.complete(
    targets().then(async (opened) => importLines(content(text), await opened.next(), { plainStream: 'spin30' }))
  )
  expect(report).toMatchObject({ found: 3000, appended: 3000 })
  const kept = await simulation.complete(collected(journal.range({})))
  expect(kept.map(({ payload }) => `${payload}\n`).join('')).toBe(text)
})

test('what the far side does not know is told', async () => {
  const asked = asking.sockets.askLocal('/data/run.sock', { method: 'GET', path: '/nothing' })
  const [message] = await simulation.complete(asked.then(({ body }) => collected(readMessages(body))))
  expect(message).toMatchObject({ error: { code: 'UNDERSTUDY_USAGE' } })
})
