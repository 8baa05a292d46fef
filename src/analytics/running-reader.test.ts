import { beforeEach, expect, test } from 'vitest'
import { directory, silent, told, writerOptions } from '../journal/fixtures.ts'
import { Journal } from '../journal/journal.ts'
import type { RetentionLimits } from '../journal/retention.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Reader } from './reader.ts'
import { RunningReader } from './running-reader.ts'

/** Adds up numbers by letter, which nobody would take for students. */
function sums(version: number, factor: number, seen: string[] = []): Reader<{ sum: number }> {
  return {
    name: 'sums',
    version,
    wants: ({ stream }) => stream !== 'ignored',
    take({ value }) {
      const { letter, number } = value as { letter?: string; number: number }
      if (letter === undefined) return undefined
      if (!Number.isInteger(number)) return { skipped: 'no number' }
      seen.push(`${letter}${number}`)
      return {
        key: letter,
        change: (state) => {
          state.sum += number * factor
        }
      }
    },
    begin: () => ({ sum: 0 }),
    encode: ({ sum }) => Buffer.from(String(sum)),
    // what is known only by an older one's sums is made into what this one would have made of it
    decode: (_, bytes, wrote) => ({ sum: wrote === version ? Number(bytes) : Number(bytes) * factor }),
    size: () => 100
  }
}

let machine: Machine
let simulation: Simulation
let journal: Journal
let running: RunningReader<{ sum: number }>

const complete = <T>(work: Promise<T>): Promise<T> => simulation.complete(work, 600_000)

async function open(
  reader: Reader<{ sum: number }>,
  options: { disk?: string; retention?: RetentionLimits } = {}
): Promise<void> {
  const journalOptions = { ...writerOptions, clockTrusted: true, storeBytes: 6000, ...options }
  journal = await complete(Journal.open(machine.world, journalOptions, silent))
  running = new RunningReader(machine.world, journal, reader, silent)
  journal.beforeRemoval((position, how) => running.beforeRemoval(position, how))
}

async function close(): Promise<void> {
  await complete(running.stop())
  await complete(journal.close())
}

/** A process that is killed, and the next one. */
function kill(): void {
  machine.kill()
  machine.start()
}

/** Gives its position. */
function send(letter: string, number: unknown, stream = 'spin30'): number {
  return journal.append(told(stream, JSON.stringify({ letter, number }))).position
}

async function fill(): Promise<void> {
  journal.append({ ...told('ignored', ''), payload: machine.world.random.bytes(9000) })
  await complete(journal.commit())
}

/** Everything there is, as it is once all has been read. */
function all(): Promise<Record<string, number>> {
  const read = async (): Promise<Record<string, number>> => {
    await journal.commit()
    await running.readTo(journal.nextPosition)
    const found: Record<string, number> = {}
    for await (const [key, sum] of running.all((name, state) => [name, state.sum] as const)) found[key] = sum
    return found
  }
  return complete(read())
}

/** Lets what is computed anew come to its end. */
async function settled(): Promise<void> {
  await simulation.runUntil(() => running.status !== undefined && running.status.rebuilding === undefined, 600_000)
}

beforeEach(() => {
  simulation = new Simulation(3)
  machine = simulation.machine('pi')
})

test('messages that are joined count one by one, and what is skipped is counted and kept', async () => {
  await open(sums(1, 1))
  running.start()
  journal.append(told('spin30', '{"letter":"a","number":1}{"letter":"b","number":"x"} junk {"letter":"a","number":2}'))
  send('a', 90, 'ignored')
  expect(await all()).toEqual({ a: 3 })
  await close()
  kill()
  await open(sums(1, 1))
  running.start()
  expect(await all()).toEqual({ a: 3 })
  expect(running.status).toMatchObject({ reader: 'sums', version: 1, skipped: { 'no number': 1 } })
  await close()
})

test('when the version changes, the former states go on until the new ones have come as far', async () => {
  await open(sums(1, 1))
  running.start()
  for (let number = 1; number <= 10; number++) send('a', number)
  expect(await all()).toEqual({ a: 55 })
  await close()
  for (let life = 0; life < 5; life++) {
    kill()
    // cut off again and again while it computes anew
    await open(sums(2, 10))
    await complete(running.use('a', ({ sum }) => sum))
    if (life === 0) {
      expect(running.status?.version).toBe(1)
      // as the new version reads what the old one wrote
      expect(await complete(running.use('a', ({ sum }) => sum))).toBe(550)
    }
    running.start()
    await simulation.run(life)
  }
  await settled()
  expect(running.status?.version).toBe(2)
  send('a', 1)
  expect(await all()).toEqual({ a: 560 })
  await close()
})

test('what a newer version has made is left to it, and made beside it; it goes on from there when it is back', async () => {
  const newer: string[] = []
  await open(sums(2, 10))
  running.start()
  for (let number = 1; number <= 10; number++) send('a', number)
  expect(await all()).toEqual({ a: 550 })
  await close()
  for (const more of [1, 2]) {
    kill()
    await open(sums(1, 1))
    running.start()
    send('b', 1)
    expect(await all()).toEqual({ a: 55, b: more })
    expect(running.status).toMatchObject({ reader: 'sums', version: 1 })
    await close()
  }
  kill()
  await open(sums(2, 10, newer))
  running.start()
  expect(await all()).toEqual({ a: 550, b: 20 })
  // Only what came since: nothing was computed anew.
  expect(newer).toEqual(['b1', 'b1'])
  await close()
})

test('what was removed from the journal is in the base up to there, and is not read again', async () => {
  await open(sums(1, 1))
  running.start()
  const positions = new Map<string, number>()
  for (const letter of ['a', 'b', 'c', 'd', 'e', 'f']) {
    positions.set(`${letter}5`, send(letter, 5))
    await fill()
  }
  const whole = { a: 5, b: 5, c: 5, d: 5, e: 5, f: 5 }
  expect(await all()).toEqual(whole)
  await close()
  kill()
  const seen: string[] = []
  await open(sums(1, 1, seen), { retention: { minFreeBytes: 0, maxBytes: 80_000 } })
  await simulation.run(130_000)
  const removed = [...positions.keys()].filter((text) => positions.get(text)! < journal.firstPosition)
  expect(removed).toContain('a5')
  expect(removed).not.toContain('f5')
  expect(seen).toEqual(removed)
  seen.length = 0
  running.start()
  await complete(running.rebuild())
  await simulation.run(60_000)
  await settled()
  expect(seen).toEqual([...positions.keys()].filter((text) => !removed.includes(text)))
  expect(await all()).toEqual(whole)
  await close()
})

test('what is erased is forgotten of those of whom nothing else is there', async () => {
  await open(sums(1, 1))
  running.start()
  send('a', 5)
  send('b', 5)
  await fill()
  send('b', 6)
  await fill()
  expect(await all()).toEqual({ a: 5, b: 11 })
  await close()
  kill()
  let dueUs: number | undefined
  await open(sums(1, 1), { retention: { minFreeBytes: 0, eraseBefore: () => dueUs } })
  running.start()
  await all()
  dueUs = machine.world.clock.wallUs()
  await simulation.run(130_000)
  expect(journal.firstPosition).toBeGreaterThan(1)
  for (let round = 0; round < 2; round++) {
    const found = await all()
    expect(found).not.toHaveProperty('a')
    await complete(running.rebuild())
    await simulation.run(60_000)
  }
  await close()
})

test('what was on a disk that was away comes late, and in the base too, however often all is computed anew', async () => {
  const mount = '/media/usb'
  machine.mount(mount)
  await open(sums(1, 1), { disk: mount })
  send('a', 1)
  await fill()
  send('a', 2)
  await fill()
  await complete(journal.close())
  const disk = machine.detach(mount)
  kill()
  await open(sums(1, 1), { disk: mount })
  running.start()
  send('a', 4)
  await fill()
  expect(await all()).toEqual({ a: 4 })
  machine.attach(mount, disk)
  await complete(journal.lookForDisk())
  await simulation.run(30_000)
  expect(await all()).toEqual({ a: 7 })
  await complete(running.beforeRemoval(journal.nextPosition, { erased: false, urgent: false }))
  await complete(running.rebuild())
  await simulation.run(60_000)
  await settled()
  expect(await all()).toEqual({ a: 7 })
  await close()
})

test('while the disk takes nothing, it goes on in memory, and what is asked is answered', async () => {
  await open(sums(1, 1))
  running.start()
  send('a', 1)
  expect(await all()).toEqual({ a: 1 })
  send('a', 2)
  await complete(journal.commit())
  machine.disk.readOnly = true
  await simulation.run(3_600_000)
  await complete(running.readTo(journal.nextPosition))
  expect(await complete(running.use('a', ({ sum }) => sum))).toBe(3)
  machine.disk.readOnly = false
  await simulation.run(3_600_000)
  kill()
  await open(sums(1, 1))
  expect(await complete(running.use('a', ({ sum }) => sum))).toBe(3)
  await close()
})

test('where room is needed at once, it is hardly waited for, and what has been read is the base', async () => {
  simulation = new Simulation(3)
  machine = simulation.machine('pi', { diskBytes: 600_000 })
  const retention = { minFreeBytes: 300_000 }
  await open(sums(1, 1), { retention })
  running.start()
  let sum = 0
  while (journal.firstPosition === 1 && sum < 100) {
    send('a', 1)
    sum++
    await fill()
    await simulation.run(10_000)
  }
  expect(journal.firstPosition).toBeGreaterThan(1)
  for (let round = 0; round < 2; round++) {
    expect(await all()).toEqual({ a: sum })
    await complete(running.rebuild())
    await simulation.run(60_000)
    await settled()
  }
  await close()
})

test('who waits when it is stopped is told', async () => {
  await open(sums(1, 1))
  running.start()
  const waiting = running.readTo(1_000_000)
  const refused = expect(waiting).rejects.toMatchObject({ code: 'UNDERSTUDY_JOURNAL_CLOSED' })
  await close()
  await refused
  await expect(running.readTo(1_000_000)).rejects.toMatchObject({ code: 'UNDERSTUDY_JOURNAL_CLOSED' })
})

test(`a folder's journal is as good as before without its readers' states`, async () => {
  await open(sums(1, 1))
  running.start()
  send('a', 1)
  expect(await all()).toEqual({ a: 1 })
  await close()
  kill()
  await complete(machine.world.files.remove(`${directory}/readers`))
  await open(sums(1, 1))
  running.start()
  expect(await all()).toEqual({ a: 1 })
  await close()
})
