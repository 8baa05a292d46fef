import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counts } from './count.ts'
import { type Counted, type Key, readCounted } from './count-message.ts'
import { someMessage } from './fixtures.ts'
import { type Arrival, type Base, StudentState } from './student-state.ts'

const key: Key = { user: 'u1', exp: 'spinner', course: 'cie3' }

/** A message of one student, as it was received. */
interface Received {
  readonly message: object
  readonly counted: Counted
  readonly arrival: Arrival
}

/** Messages of one student in the order of their arrival, some joined in a frame. */
const received: fc.Arbitrary<Received[]> = fc
  .array(fc.tuple(someMessage, fc.boolean(), fc.boolean(), fc.nat(3)), { maxLength: 40 })
  .map((all) => {
    let [position, part] = [0, 0]
    return all.flatMap(([some, joined, late, laterMs]) => {
      const message = { ...(some as object), ...key }
      const counted = readCounted(message)
      if (typeof counted !== 'object') return []
      part = joined ? part + 1 : 0
      if (!joined) position++
      return [
        { message, counted, arrival: { position: position + 1, part, late, receivedMs: 1000 + position + laterMs } }
      ]
    })
  })

function stateOf(all: readonly Received[]): StudentState {
  const state = new StudentState(key)
  for (const { counted, arrival } of all) state.add(counted, arrival)
  return state
}

function directCount(all: readonly Received[]): object {
  const counts = new Counts<undefined>()
  for (const { message, arrival } of all) counts.add(message, undefined, arrival.late)
  const student = counts.get(key)
  const empty = new StudentState(key)
  return {
    matrix: student?.matrix() ?? empty.matrix(),
    feedback: student?.feedback ?? empty.feedback(),
    commands: student?.commands ?? 0
  }
}

const seen = (state: StudentState): object => ({
  matrix: state.matrix(),
  feedback: state.feedback(),
  commands: state.commands
})

test('whatever comes late, and kept and read at every point, it is what a direct count gives', () => {
  fc.assert(
    fc.property(
      received.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        let state = new StudentState(key)
        for (const { counted, arrival } of shuffled) {
          state.add(counted, arrival)
          state = StudentState.decode(key, Buffer.from(state.encode()))
        }
        expect(seen(state)).toEqual(directCount(all))
      }
    ),
    { numRuns: 500 }
  )
})

/** In the order of their times, as far as they have one. */
function inTime(all: readonly Received[]): Received[] {
  return all.map(({ message, counted, arrival }, index) => {
    const tMs = 100 * index
    const timed = counted.kind === 'command' ? { ...counted, tMs } : counted
    return { message: { ...message, t: tMs }, counted: timed, arrival: { ...arrival, receivedMs: 1000 + index } }
  })
}

/** What a primary has of the messages, where it has counted the first `done` of them and kept the others. */
function baseOf(all: readonly Received[], done: number, hasLogs: boolean): Base {
  const first = stateOf(all.slice(0, done))
  const commands = all.flatMap(({ counted }, index) => (counted.kind === 'command' ? [{ index, ...counted }] : []))
  const last = commands.findLast(({ index }) => index < done)
  const kept = hasLogs ? commands.filter(({ index }) => index >= done || index === last?.index) : []
  const asOfMs = 1000 + all.length - 1
  return { asOfMs, adjacency: first.matrix(), feedback: stateOf(all).feedback(), commands: kept }
}

test('a student goes on from what the primary had counted, whenever that is imported', () => {
  fc.assert(
    fc.property(received, fc.nat(), fc.nat(), fc.nat(), fc.boolean(), (some, one, two, three, hasLogs) => {
      const all = inTime(some)
      const until = one % (all.length + 1)
      const known = all.slice(0, until)
      // where it has left no raw logs, it had counted all
      const base = baseOf(known, hasLogs ? two % (until + 1) : until, hasLogs)
      const imported = three % (all.length + 1)
      const state = stateOf(all.slice(0, imported))
      expect(state.takeBase(base)).toBe(true)
      for (const { counted, arrival } of all.slice(imported)) state.add(counted, arrival)
      const { matrix, feedback } = directCount(all) as { matrix: unknown; feedback: unknown }
      expect({ matrix: state.matrix(), feedback: state.feedback() }).toEqual({ matrix, feedback })
      const again = StudentState.decode(key, Buffer.from(state.encode()))
      expect(again.takeBase(base)).toBe(true)
      expect(again.takeBase({ ...base, asOfMs: base.asOfMs - 1 })).toBe(false)
    }),
    { numRuns: 500 }
  )
})

test('the next command follows the last that the primary had, although the Pi has heard nothing of it', () => {
  const state = new StudentState(key)
  const zeros = state.matrix()
  const commands = [{ node: 2, tMs: 1, hardware: 'spin30' }]
  state.takeBase({ asOfMs: 1000, adjacency: zeros, feedback: state.feedback(), commands })
  const command = readCounted({ ...key, type: 'analytics', t: 2, hardware: 'spin30', payload: { log: 'voltage' } })
  state.add(command as Counted, { position: 9, part: 0, receivedMs: 1001, late: false })
  expect(state.matrix()[2]![0]).toBe(1)
})

test('beyond what any person does, a student takes no more room, and all is counted', () => {
  const command = readCounted({ ...key, type: 'analytics', hardware: 'spin30', payload: { log: 'speed' } }) as Counted
  const told = readCounted({ ...key, type: 'feedback', payload: { state: 'Bored', subject: 'UI' } }) as Counted
  const state = new StudentState(key)
  for (let position = 1; position <= 50_000; position++) {
    state.add(position % 2 === 0 ? told : command, { position, part: 0, receivedMs: position, late: false })
  }
  expect(state.commands).toBe(25_000)
  expect(state.matrix()[4]![4]).toBe(24_999)
  expect(
    state
      .feedback()
      .flat()
      .reduce((sum, one) => sum + one, 0)
  ).toBe(25_000)
  expect(state.bytes).toBeLessThan(200_000)
})
