import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { sleep } from '../world/time.ts'
import { aMachine, directory, openJournal, texts, told, withFiles } from './fixtures.ts'
import { readHead } from './head.ts'
import type { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'

/** A journal on a disk whose syncs take 20 ms. */
async function slow(
  machine = aMachine()
): Promise<{ machine: Machine; journal: Journal; run(ms: number): Promise<void> }> {
  const journal = await openJournal(machine.world)
  machine.disk.pace = { changeUs: [0, 0], syncUs: [20_000, 20_000] }
  return { machine, journal, run: (ms) => machine.simulation.run(ms) }
}

function acknowledged(journal: Journal): Array<Record<string, number>> {
  const told: Array<Record<string, number>> = []
  journal.onCommit((lastSeqs) => told.push(Object.fromEntries(lastSeqs)))
  return told
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)
}

test('what has come in an interval is synced together, and acknowledged only then', async () => {
  const { journal, run } = await slow()
  const acks = acknowledged(journal)
  journal.append(told('spin30', 'a'))
  await run(300)
  journal.append(told('spin31', 'b'))
  journal.append(told('spin30', 'c'))
  expect(journal.pendingBytes).toBeGreaterThan(3)
  await run(210)
  expect(acks).toEqual([])
  expect(await journal.cursor({ position: journal.nextPosition }).next()).toEqual([])
  await run(20)
  expect(acks).toEqual([{ spin30: 2, spin31: 1 }])
  expect(journal.pendingBytes).toBe(0)
})

test('a commit can be asked for, and resolves when it is synced', async () => {
  const { machine, journal } = await slow()
  const acks = acknowledged(journal)
  journal.append(told('spin30', 'a'))
  const before = machine.simulation.nowUs
  await machine.simulation.complete(journal.commit())
  expect(machine.simulation.nowUs - before).toBe(20_000)
  expect(acks).toEqual([{ spin30: 1 }])
  await journal.commit()
})

test('much is committed early', async () => {
  const { journal, run } = await slow()
  const acks = acknowledged(journal)
  for (let number = 0; number < 300; number++) journal.append(told('spin30', 'x'.repeat(1000)))
  await run(100)
  expect(acks.at(-1)).toEqual({ spin30: 300 })
})

test('what comes during a commit is in the next one, in order', async () => {
  const { machine, journal, run } = await slow()
  const acks = acknowledged(journal)
  for (let number = 1; number <= 20; number++) {
    journal.append(told('spin30', `${number}`))
    void journal.commit()
    await run(7)
  }
  await machine.simulation.complete(journal.commit())
  expect(acks.map(({ spin30 }) => spin30)).toEqual(acks.map(({ spin30 }) => spin30).toSorted((a, b) => a! - b!))
  expect(acks.at(-1)).toEqual({ spin30: 20 })
  expect(await texts(journal.range({}))).toEqual(numbers(1, 20))
})

test('numbers go on after opening again, in each stream', async () => {
  const machine = aMachine()
  for (let life = 0; life < 3; life++) {
    const journal = await openJournal(machine.world)
    expect(journal.append(told('spin30', 'a')).seq).toBe(2 * life + 1)
    expect(journal.append(told('spin30', 'b')).seq).toBe(2 * life + 2)
    expect(journal.append(told(`new${life}`, 'c')).seq).toBe(1)
    await journal.close()
  }
})

test('a step of the clock is on record before what came after it', async () => {
  const { machine, journal, run } = await slow()
  machine.clock.step(60_000_000)
  await run(100)
  const { position } = journal.append(told('spin30', 'a'))
  await machine.simulation.complete(journal.commit())
  const [entry] = await journal.cursor({ position: position - 1 }).next()
  expect(entry).toMatchObject({ kind: 'event', event: { event: 'clock', steppedUs: 60_000_000 } })
})

test('a clock that steps while it closes does no harm', async () => {
  const { machine, journal } = await slow()
  machine.disk.pace = { changeUs: [0, 0], syncUs: [200_000, 200_000] }
  const closing = journal.close()
  await machine.simulation.run(10)
  machine.clock.step(3_600_000_000)
  machine.clock.setSynchronised(false)
  await machine.simulation.run(20_000)
  await closing
  await machine.simulation.complete(openJournal(machine.world))
})

test('after the end nothing is taken any more', async () => {
  const journal = await openJournal(aMachine().world)
  await journal.close()
  expect(() => journal.append(told('spin30', 'a'))).toThrow(
    expect.objectContaining({ code: 'UNDERSTUDY_JOURNAL_CLOSED' })
  )
})

test('a second process is told that one is running', async () => {
  const machine = aMachine()
  await openJournal(machine.world)
  await expect(openJournal(machine.start())).rejects.toMatchObject({ code: 'UNDERSTUDY_ALREADY_RUNNING' })
})

test('the head does not say that a stream was heard beyond a frame that is being committed', async () => {
  const { machine, journal, run } = await slow()
  journal.hearing.heard('spin30')
  await run(9990)
  journal.append(told('spin31', 'commit 1'))
  void journal.commit()
  await run(5)
  const { monoUs } = journal.append(told('spin30', 'commit 2'))
  void journal.commit()
  await run(7)
  // The head's turn has come and it waits for commit 1, which ends now; commit 2 begins.
  journal.hearing.proof('spin30')
  await run(10)
  const head = await readHead(machine.world.files, journalPaths(directory).head)
  expect(head!.nextPosition).toBe(journal.nextPosition)
  expect(head!.streams['spin30']!.proofUs).toBeLessThanOrEqual(monoUs)
})

test.each(['read only', 'broken'])('a disk that is %s for a while: nothing is lost or stored twice', async (how) => {
  const { machine, journal, run } = await slow()
  const acks = acknowledged(journal)
  const set = (bad: boolean): void => {
    if (how === 'broken') machine.disk.failsAfterBytes = bad ? 700 : Number.POSITIVE_INFINITY
    else machine.disk.readOnly = bad
  }
  for (let number = 1; number <= 60; number++) {
    if (number === 20) set(true)
    if (number === 40) set(false)
    journal.append(told('spin30', `${number}`))
    await run(200)
  }
  await run(5000)
  machine.disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
  expect(acks.at(-1)).toEqual({ spin30: 60 })
  expect(await texts(journal.range({}))).toEqual(numbers(1, 60))
  expect((await journal.verify()).problems).toEqual([])
  await machine.simulation.complete(journal.close())
  const again = await machine.simulation.complete(openJournal(machine.world))
  expect(await texts(again.range({}))).toEqual(numbers(1, 60))
  expect((await again.verify()).problems).toEqual([])
  expect(again.append(told('spin30', '61')).seq).toBe(61)
})

test('who reads while a write fails reads on, and the store is closed when it is done', async () => {
  const { machine, journal, run } = await slow()
  const { simulation, disk } = machine
  machine.disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
  for (let number = 1; number <= 200; number++) {
    journal.append(told('spin30', `${number}`))
    await simulation.complete(journal.commit())
  }
  const reading = journal.range({})[Symbol.asyncIterator]()
  const read = [...(await reading.next()).value!]
  const cursor = journal.cursor()
  await cursor.next(1)
  disk.readOnly = true
  journal.append(told('spin30', '201'))
  await run(3000)
  for (let more = await cursor.next(); more.length > 0; more = await cursor.next());
  expect(cursor.position).toBe(journal.nextPosition)
  expect((await journal.coverage()).map(({ stream }) => stream)).toEqual(['spin30'])
  disk.readOnly = false
  await run(3000)
  for (let more = await reading.next(); !more.done; more = await reading.next()) read.push(...more.value)
  expect(read.map(({ payload }) => payload.toString())).toEqual(numbers(1, 200))
  expect(await texts(journal.range({}))).toEqual(numbers(1, 201))
  await simulation.complete(journal.merged())
  await simulation.complete(journal.close())
  expect((await (await openJournal(machine.world)).verify()).problems).toEqual([])
})

test.each(['stops', 'is killed'])(
  'that the clock was right is known in the boot, also after a process that %s',
  async (how) => {
    const machine = aMachine()
    machine.clock.setSynchronised(true)
    const first = await openJournal(machine.world)
    expect(first.hearing.unknownSinceMs).toBe(undefined)
    if (how === 'stops') await first.close()
    else machine.kill()
    machine.clock.setSynchronised(false)
    const second = await openJournal(machine.start())
    expect(second.hearing.unknownSinceMs).toBe(undefined)
    await second.close()
    machine.boot()
    machine.clock.setSynchronised(false)
    machine.clock.setWall(0)
    const third = await openJournal(machine.world)
    const { certainUs = 0 } = (await readHead(machine.world.files, journalPaths(directory).head))!
    expect(third.hearing.unknownSinceMs).toBe(certainUs / 1000 - 3_600_000)
    await third.close()
    expect((await openJournal(machine.start())).hearing.unknownSinceMs).toBeDefined()
  }
)

test('told to close on a disk that stays broken, it says so, and another can open the journal', async () => {
  const { machine, journal, run } = await slow()
  journal.append(told('spin30', '1'))
  await run(1000)
  machine.disk.readOnly = true
  journal.append(told('spin30', '2'))
  await run(3000)
  const closing = machine.simulation.complete(journal.close())
  await expect(closing).rejects.toThrow()
  machine.disk.readOnly = false
  machine.disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
  const again = await machine.simulation.complete(openJournal(machine.world))
  expect(await texts(again.range({}))).toEqual(['1'])
})

test.each(['closed', 'killed'])('what a full disk took when it was %s is a gap of that cause, exactly', async (how) => {
  const { machine, journal, run } = await slow()
  const { simulation, disk } = machine
  const fromUs = simulation.startWallUs
  journal.hearing.added('spin30')
  journal.hearing.heard('spin30')
  journal.append(told('spin30', 'kept'))
  await run(9000)
  journal.hearing.proof('spin30')
  await run(2000)
  disk.capacityBytes -= disk.freeBytes
  await run(1000)
  const large = { ...told('spin30', ''), payload: machine.world.random.bytes(9000) }
  journal.append(large)
  const lostFromS = simulation.nowUs / 1e6
  for (let second = 0; second < 11; second++) {
    await run(1000)
    journal.hearing.proof('spin30')
  }
  if (how === 'closed') await expect(simulation.complete(journal.close())).rejects.toThrow()
  else machine.kill()
  const endS = simulation.nowUs / 1e6
  disk.capacityBytes = 16e9
  await run(5000)
  const again = await simulation.complete(openJournal(machine.start()))
  again.hearing.heard('spin30')
  const [coverage] = await simulation.complete(again.coverage({ fromUs }))
  const rest = coverage!.rest.map((part) => [part.cause, (part.fromUs - fromUs) / 1e6, (part.toUs - fromUs) / 1e6])
  expect(rest.map(([cause]) => cause)).toEqual(['disk full', 'stopped'])
  const [[, from, to], [, , until]] = rest as [[string, number, number], [string, number, number]]
  // Heard as far as the head on the disk says so, which is written every 10 s.
  expect(from).toBeLessThanOrEqual(lostFromS)
  expect(from).toBeGreaterThanOrEqual(9)
  expect(Math.abs(to - endS)).toBeLessThan(how === 'closed' ? 1.5 : 10)
  expect(until).toBeCloseTo(endS + 5, 0)
})

test('a journal that cannot be opened leaves nothing open', async () => {
  const machine = aMachine()
  machine.disk.failsAfterBytes = 3000
  let failures = 0
  for (;;) {
    try {
      const opening = openJournal(machine.world)
      await machine.simulation.complete(opening, 1000)
      break
    } catch {
      failures++
      machine.disk.failsAfterBytes = 3000 * 2 ** failures
    }
  }
  expect(failures).toBeGreaterThan(0)
})

test('a close waits for the head that is just being written', async () => {
  const machine = aMachine()
  const { simulation, world } = machine
  const asked: string[] = []
  let isSlow = false
  const watched = withFiles(world, {
    async open(at, how, mode) {
      const file = await world.files.open(at, how, mode)
      if (!at.startsWith(journalPaths(directory).head)) return file
      return {
        read: (buffer, position) => file.read(buffer, position),
        write: (data, position) => file.write(data, position),
        async sync() {
          const wait = isSlow
          isSlow = false
          if (wait) await sleep(world.timers, 5000)
          await file.sync()
          if (wait) asked.push('slow sync')
        },
        close() {
          asked.push('close')
          return file.close()
        }
      }
    }
  })
  const journal = await simulation.complete(openJournal(watched))
  isSlow = true
  while (isSlow) await simulation.run(100)
  await simulation.complete(journal.close())
  expect(asked).toEqual(['slow sync', 'close'])
})
