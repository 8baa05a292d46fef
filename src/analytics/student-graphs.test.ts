import fc from 'fast-check'
import { expect, test } from 'vitest'
import { silent, told, writerOptions } from '../journal/fixtures.ts'
import { Journal } from '../journal/journal.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { Counts, keyText } from './count.ts'
import { edgesOf, someMessage } from './fixtures.ts'
import { graphOf } from './graph.ts'
import { type StudentGraph, StudentGraphs } from './student-graphs.ts'

/** What was appended to the journal, and may be in it. */
interface Sent {
  readonly position: number
  readonly messages: readonly unknown[]
  readonly late: boolean
}

/** A Pi whose journal holds little, and what must come out of it. */
class Life {
  readonly simulation = new Simulation(1)
  readonly machine: Machine = this.simulation.machine('pi')
  sent: Sent[] = []
  journal!: Journal
  graphs!: StudentGraphs

  complete<T>(work: Promise<T>): Promise<T> {
    return this.simulation.complete(work, 600_000)
  }

  async open(): Promise<void> {
    const before = this.journal?.nextPosition ?? 1
    const options = { ...writerOptions, clockTrusted: true, storeBytes: 6000 }
    const retention = { minFreeBytes: 0, maxBytes: 25_000 }
    this.journal = await this.complete(Journal.open(this.machine.world, { ...options, retention }, silent))
    await this.forgetLost(before)
    this.graphs = new StudentGraphs(this.machine.world, this.journal, silent)
    this.graphs.start()
  }

  /** What was not on the disk when it was cut off never came. */
  private async forgetLost(from: number): Promise<void> {
    const cursor = this.journal.cursor({ position: Math.max(from, this.journal.firstPosition) })
    const there = new Set<number>()
    for (let more = await this.complete(cursor.next()); more.length > 0; more = await this.complete(cursor.next())) {
      for (const { kind, position } of more) if (kind === 'frame') there.add(position)
    }
    this.sent = this.sent.filter(({ position }) => position < from || there.has(position))
  }

  append(messages: readonly unknown[], late: boolean): void {
    const text = messages.map((message) => JSON.stringify(message)).join('')
    const origin = late ? 'import' : 'relay'
    const { position } = this.journal.append({ ...told('spin30', text), origin })
    this.sent.push({ position, messages, late })
  }

  async close(): Promise<void> {
    await this.complete(this.graphs.stop())
    await this.complete(this.journal.close())
  }

  async restart(how: 'kill' | 'power'): Promise<void> {
    if (how === 'power') this.machine.boot()
    else {
      this.machine.kill()
      this.machine.start()
    }
    await this.open()
  }

  /** What a count of everything that was ever received gives must be what the graphs give. */
  async check(): Promise<void> {
    await this.complete(this.journal.commit())
    await this.complete(this.graphs.readTo(this.journal.nextPosition))
    const counts = new Counts<undefined>()
    for (const { messages, late } of this.sent) {
      for (const message of messages) counts.add(message, undefined, late)
    }
    expect(await this.complete(listed(this.graphs))).toEqual(
      [...counts.students()]
        .map((student) => ({
          name: keyText(student.key),
          matrix: student.matrix(),
          feedback: student.feedback,
          commands: student.commands,
          edges: edgesOf(student.key.exp, student.matrix())
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    )
    expect(this.graphs.status?.skipped).toEqual(Object.fromEntries(counts.skipped))
  }
}

async function listed(graphs: StudentGraphs): Promise<object[]> {
  const found: object[] = []
  for await (const student of graphs.students()) found.push(described(student))
  return found
}

function described(student: StudentGraph): object {
  const { exp, matrix, feedback, commands } = student
  const edges = graphOf(exp, matrix).mapEdges((_, { weight }, from, to) => `${from}>${to} ${weight}`)
  return { name: keyText(student), matrix, feedback, commands, edges: edges.sort() }
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      messages: fc.array(someMessage, { minLength: 1, maxLength: 3 }),
      late: fc.boolean()
    })
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'pass', 'check', 'fill') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('moment' as const), ms: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'kill', 'power', 'rebuild', 'list') }) }
)

type Step = typeof step extends fc.Arbitrary<infer Any> ? Any : never

async function act(life: Life, one: Step): Promise<void> {
  switch (one.kind) {
    case 'append':
      return life.append(one.messages, one.late)
    case 'moment':
      return life.simulation.run(one.ms)
    case 'pass':
      return life.simulation.run(70_000)
    case 'commit':
      return life.complete(life.journal.commit())
    case 'fill':
      life.journal.append({ ...told('spin30', ''), payload: life.machine.world.random.bytes(9000) })
      return life.complete(life.journal.commit())
    case 'check':
      return life.check()
    // Both write, and may be cut off at any moment.
    case 'rebuild':
      return void life.graphs.rebuild().catch(() => {})
    case 'list':
      return void listed(life.graphs).catch(() => {})
    case 'restart':
      await life.close()
      return life.restart('kill')
    default:
      return life.restart(one.kind === 'power' ? 'power' : 'kill')
  }
}

test('live, after restarts at every point, and rebuilt the graphs are what a direct count gives', async () => {
  let removals = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const life = new Life()
      life.machine.disk.pace = { changeUs: [0, 100], syncUs: [1000, 20_000] }
      await life.open()
      for (const one of steps) await act(life, one)
      await life.check()
      await life.complete(life.graphs.rebuild())
      await life.simulation.run(60_000)
      expect(life.graphs.status?.rebuilding).toBeUndefined()
      await life.check()
      if (life.journal.firstPosition > 1) removals++
      await life.close()
    }),
    { numRuns: 200 }
  )
  expect(removals).toBeGreaterThan(10)
}, 120_000)
