import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silent, writerOptions } from '../../journal/fixtures.ts'
import { Journal } from '../../journal/journal.ts'
import type { Machine } from '../../sim/world/machine.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import type { World } from '../../world/world.ts'
import { Models } from '../models.ts'
import { asked, five, said } from './fixtures.ts'
import { Standby, type StandbyMode } from './standby.ts'

const STREAM = 'spin30'

interface Sent {
  readonly ms: number
  readonly content: string
  readonly user: string
  readonly marked: boolean
}

let simulation: Simulation
let machine: Machine
let world: World
let journal: Journal
let standby: Standby
let sent: Sent[]
let logged: string[]
let heard: boolean
let scopes: readonly string[]
const nowMs = (): number => simulation.nowUs / 1000

async function start(mode: StandbyMode = 'answer'): Promise<void> {
  journal = await simulation.complete(Journal.open(world, writerOptions, silent))
  const roster = {
    send(_: string, text: string): boolean {
      if (!heard) return false
      const { content, user } = JSON.parse(text)
      sent.push({ ms: nowMs(), content, user, marked: text.startsWith(' ') })
      return true
    }
  }
  const tell = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
  standby = new Standby(
    world,
    { mode, afterMs: 2000, readIntervalMs: 480 },
    {
      journal,
      roster,
      models: new Models([]),
      studentBefore: async () => undefined,
      mayWrite: () => scopes.includes('write')
    },
    { debug() {}, info: tell, warn: tell, error: tell }
  )
  standby.start()
}

async function stop(): Promise<void> {
  await simulation.complete(standby.stop())
  await simulation.complete(journal.close())
}

function says(text: string, stream = STREAM): void {
  journal.append({ stream, payload: Buffer.from(text), binary: false, origin: 'relay' })
}

/** What was sent since the last time this was asked. */
function news(): Sent[] {
  return sent.splice(0)
}

const contents = (): string[] => news().map(({ content }) => content)
// comparison_graph of a graph that is not there has no answer
const answerable = five.filter((content) => content !== 'comparison_graph')

async function primaryEvents(): Promise<string[]> {
  const cursor = journal.cursor()
  const events: string[] = []
  for (let entries = await cursor.next(); entries.length > 0; entries = await cursor.next()) {
    for (const entry of entries) {
      if (entry.kind === 'event' && entry.event.event === 'primary') events.push(entry.event.state)
    }
  }
  return events
}

beforeEach(() => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
  world = machine.world
  sent = []
  logged = []
  heard = true
  scopes = ['read', 'write']
})

afterEach(stop)

describe('answering', () => {
  beforeEach(() => start())

  test('only after the wait, in order, each marked and apart from the one before, and on record as its own', async () => {
    says(asked())
    await simulation.run(1999)
    expect(news()).toEqual([])
    await simulation.run(3000)
    const all = news()
    expect(all.map(({ content }) => content)).toEqual(answerable)
    expect(all[0]!.ms).toBeLessThan(2800)
    expect(all.every(({ marked, user }) => marked && user === 'ann')).toBe(true)
    for (const [index, { ms }] of all.entries()) if (index > 0) expect(ms - all[index - 1]!.ms).toBeGreaterThan(100)
    await simulation.run(1000)
    const own: string[] = []
    for await (const frames of journal.range({})) {
      own.push(
        ...frames.filter(({ origin }) => origin === 'own').map(({ payload }) => JSON.parse(payload.toString()).content)
      )
    }
    expect(own).toEqual(answerable)
  })

  test('not what the primary has answered, even where it is not on the disk yet', async () => {
    says(asked())
    await simulation.run(100)
    says(said('student_graph'))
    await simulation.run(1890)
    for (const content of five.slice(1)) says(said(content))
    await simulation.run(10_000)
    expect(news()).toEqual([])
    expect(standby.status()).toMatchObject([{ stream: STREAM, silent: false, asked: 5, replied: 5, outages: [] }])
  })

  test('what the primary begins and does not end', async () => {
    says(asked())
    await simulation.run(50)
    says(said('student_graph') + said('task_identification'))
    await simulation.run(5000)
    expect(contents()).toEqual(['indicators', 'centroids'])
  })

  test('soon, while the primary is silent, until it is heard again; each stream by itself', async () => {
    says(asked('centroids'))
    await simulation.run(5000)
    expect(contents()).toEqual(['centroids'])
    says(asked('indicators'))
    says(asked('indicators', 'bob'), 'spin31')
    await simulation.run(1500)
    expect(news()).toMatchObject([{ content: 'indicators', user: 'ann' }])
    says(said('indicators', 'bob'), 'spin31')
    says(said('indicators'))
    await simulation.run(5000)
    says(asked('centroids'))
    await simulation.run(1900)
    says(said('centroids'))
    await simulation.run(5000)
    expect(news()).toEqual([])
    expect(await simulation.complete(primaryEvents())).toEqual(['silent', 'back'])
  })

  test('a reply that holds NaN is answered for', async () => {
    says(asked('task_identification'))
    await simulation.run(50)
    says(said('task_identification', 'ann', '"tasks": {"spinner-cie3-3": NaN}'))
    await simulation.run(4000)
    expect(contents()).toEqual(['task_identification'])
  })

  test('not what another Pi answers, and what that leaves 2 s after its last one', async () => {
    says(asked())
    await simulation.run(1950)
    says(` ${said('student_graph')}`)
    await simulation.run(100)
    says(` ${said('comparison_graph')}`)
    await simulation.run(1990)
    expect(news()).toEqual([])
    await simulation.run(3000)
    expect(contents()).toEqual(answerable.slice(1))
  })

  test('not while it is in doubt what has come, and not what the primary may have answered unheard', async () => {
    says(asked('centroids'))
    await simulation.run(1000)
    journal.hearing.doubted(STREAM, 1)
    await simulation.run(5000)
    expect(news()).toEqual([])
    journal.hearing.doubted(STREAM, undefined)
    await simulation.run(1000)
    expect(contents()).toEqual(['centroids'])
    says(asked('centroids'), 'spin31')
    await simulation.run(500)
    journal.hearing.lost('spin31', 'disconnected')
    await simulation.run(5000)
    expect(news()).toEqual([])
  })

  test('nothing while nothing can be sent, and soon when it can again; but nothing that is too old', async () => {
    heard = false
    says(asked('centroids'))
    await simulation.run(5000)
    heard = true
    await simulation.run(1100)
    expect(contents()).toEqual(['centroids'])
    heard = false
    says(asked('centroids'))
    await simulation.run(15_000)
    heard = true
    await simulation.run(5000)
    expect(news()).toEqual([])
  })

  test('a disk that fails for a while delays it, and what has grown too old meanwhile is not answered', async () => {
    says(asked('centroids'))
    await simulation.run(1000)
    machine.disk.stall(20_000)
    says(asked('indicators', 'bob'))
    await simulation.run(30_000)
    expect(news()).toEqual([])
    says(asked('indicators', 'bob'))
    await simulation.run(3000)
    expect(contents()).toEqual(['indicators'])
  })

  test('what nobody could know: garbage, unknown courses, and students of whom there is nothing', async () => {
    says('{"type":"request","user":"ann"}{"type":"request"')
    says(asked('all_feedback').replaceAll('cie3', 'not-a-course'))
    says(asked('task_feedback').replaceAll('spinner', 'constructor'))
    await simulation.run(10_000)
    expect(contents()).toEqual(answerable)
  })
})

describe('a restart', () => {
  test('goes on where it was: neither twice, nor too late', async () => {
    await start()
    says(asked('centroids'))
    await simulation.run(5000)
    expect(contents()).toEqual(['centroids'])
    says(asked())
    await simulation.runUntil(() => sent.length === 2, 5000)
    expect(contents()).toEqual(answerable.slice(0, 2))
    await simulation.run(20)
    machine.kill(world)
    world = machine.start()
    await simulation.run(3000)
    await start()
    await simulation.run(5000)
    expect(contents()).toEqual(answerable.slice(2))
    says(asked())
    await simulation.run(50)
    await stop()
    await simulation.run(11_000)
    await start()
    await simulation.run(10_000)
    expect(news()).toEqual([])
  })

  test('does not tell twice that the primary is silent; it may have come back unheard, and is waited for again', async () => {
    await start()
    journal.hearing.added(STREAM)
    journal.hearing.heard(STREAM)
    says(asked('centroids'))
    await simulation.run(5000)
    await stop()
    await start()
    journal.hearing.heard(STREAM)
    news()
    says(asked('centroids'))
    await simulation.run(1900)
    expect(news()).toEqual([])
    await simulation.run(2000)
    expect(contents()).toEqual(['centroids'])
    says(asked('indicators'))
    await simulation.run(1500)
    expect(contents()).toEqual(['indicators'])
    expect(await simulation.complete(primaryEvents())).toEqual(['silent'])
  })
})

test('without a primary it is answered at once', async () => {
  await start('always')
  says(asked())
  await simulation.run(1200)
  expect(contents()).toEqual(answerable)
})

test('who only observes says what it would have done, without a name, and sends nothing', async () => {
  await start('observe')
  says(asked())
  await simulation.run(2400)
  says(asked('indicators', 'bob'), 'spin31')
  await simulation.run(300)
  says(said('indicators', 'bob'), 'spin31')
  await simulation.run(5000)
  expect(news()).toEqual([])
  expect(logged).toEqual([
    `the primary does not reply {"stream":"${STREAM}"}`,
    expect.stringMatching(
      /^would have answered \{"stream":"spin30","replies":\["student_graph",.*"waitedMs":2\d\d\d\}$/
    )
  ])
  expect(logged.join()).not.toContain('ann')
  expect(standby.status()).toMatchObject([
    { stream: 'spin30', silent: true, answers: false },
    { stream: 'spin31', silent: false, replied: 1 }
  ])
})

test('without the write scope nothing is sent', async () => {
  scopes = ['read']
  await start('always')
  says(asked())
  await simulation.run(5000)
  expect(news()).toEqual([])
  expect(logged.join()).toContain('would have answered')
})
