import { expect, test } from 'vitest'
import { aMachine, openJournal, told } from './fixtures.ts'
import type { Journal } from './journal.ts'
import type { Cursor } from './reading.ts'

/** A journal with a frame a commit, in many stores if `storeBytes` is 1. */
async function filled(frames: number, storeBytes = 256e6): Promise<Journal> {
  const journal = await openJournal(aMachine().world, { storeBytes })
  for (let number = 1; number <= frames; number++) {
    journal.append(told(`spin${30 + (number % 2)}`, `frame ${number}`))
    await journal.commit()
  }
  return journal
}

async function rest(cursor: Cursor, maxBytes?: number): Promise<number[]> {
  const positions: number[] = []
  for (let some = await cursor.next(maxBytes); some.length > 0; some = await cursor.next(maxBytes)) {
    positions.push(...some.map(({ position }) => position))
  }
  return positions
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}

test.each([256e6, 1])('begins at any position, with stores of %d bytes', async (storeBytes) => {
  const journal = await filled(12, storeBytes)
  for (let position = 1; position <= journal.nextPosition; position++) {
    const cursor = journal.cursor({ position })
    expect(await rest(cursor)).toEqual(upTo(position, journal.nextPosition))
    expect(cursor.position).toBe(journal.nextPosition)
  }
})

test.each([0, 1, 10, 20, 1e6])('gives one entry at least and about %d bytes', async (maxBytes) => {
  const journal = await filled(12, 1)
  const cursor = journal.cursor()
  expect(await rest(cursor, maxBytes)).toEqual(upTo(1, journal.nextPosition))
  const some = await journal.cursor({ position: 3 }).next(maxBytes)
  expect(some.length).toBe(Math.max(1, Math.min(11, Math.ceil(maxBytes / 8))))
})

test('is between calls where it will go on', async () => {
  const journal = await filled(6)
  const cursor = journal.cursor()
  for (let before = 1; before < journal.nextPosition; before = cursor.position) {
    const [first] = await cursor.next(1)
    expect(first!.position).toBe(before)
  }
})

test('gives only the frames of the streams asked for, and still moves on', async () => {
  const journal = await filled(6)
  const cursor = journal.cursor({ streams: new Set(['spin31']) })
  const entries = await cursor.next()
  const texts = entries.map((entry) => entry.payload.toString())
  expect(texts).toEqual(['frame 1', 'frame 3', 'frame 5'])
  expect(cursor.position).toBe(journal.nextPosition)
  expect(await journal.cursor({ streams: new Set(['nobody']) }).next()).toEqual([])
})

test('gives nothing that is not committed', async () => {
  const journal = await filled(2)
  const cursor = journal.cursor({ position: journal.nextPosition })
  journal.append(told('spin30', 'later'))
  expect(await cursor.next()).toEqual([])
  await journal.commit()
  expect((await cursor.next()).map(({ payload }) => payload.toString())).toEqual(['later'])
})

test('waits for the next commit, and not when there is something to read', async () => {
  const journal = await filled(1)
  const cursor = journal.cursor({ position: journal.nextPosition })
  let woken = false
  const waiting = cursor.wait().then(() => {
    woken = true
  })
  await Promise.resolve()
  expect(woken).toBe(false)
  journal.append(told('spin30', 'next'))
  await journal.commit()
  await waiting
  await cursor.wait()
  expect(await cursor.next()).toHaveLength(1)
})

test('stops waiting when the signal is aborted, or was before, and when the journal closes', async () => {
  const journal = await filled(1)
  const cursor = journal.cursor({ position: journal.nextPosition })
  const abort = new AbortController()
  const waiting = cursor.wait(abort.signal)
  abort.abort()
  await waiting
  await cursor.wait(abort.signal)
  const closing = cursor.wait()
  await journal.close()
  await closing
})

test('says which positions are missing', async () => {
  const journal = await filled(1)
  const { nextPosition } = journal
  await expect(journal.cursor({ position: nextPosition + 5 }).next()).rejects.toMatchObject({
    code: 'UNDERSTUDY_CURSOR_TOO_NEW',
    detail: `positions ${nextPosition} to ${nextPosition + 4} are missing`
  })
  await expect(journal.cursor({ position: -2 }).next()).rejects.toMatchObject({
    code: 'UNDERSTUDY_CURSOR_TOO_OLD',
    detail: 'positions -2 to 0 are missing'
  })
})

test('several read while others append and stores are begun and finished', async () => {
  const journal = await openJournal(aMachine().world, { storeBytes: 1 })
  const readers = [1, 2, 3, 4].map(async (step) => {
    const cursor = journal.cursor()
    const found: number[] = []
    while (found.length < 60) {
      found.push(...(await cursor.next(step * 7)).map(({ position }) => position))
      await cursor.wait()
    }
    return found.slice(0, 60)
  })
  for (let number = 0; number < 70; number++) {
    journal.append(told('spin30', `frame ${number}`))
    await journal.commit()
  }
  for (const found of await Promise.all(readers)) expect(found).toEqual(upTo(1, 61))
})

test('what was damaged when it came by is given late, once, when it has been salvaged', async () => {
  const machine = aMachine()
  const written = await openJournal(machine.world, { storeBytes: 4000 })
  for (let number = 1; number <= 60; number++) {
    written.append(told('spin30', `frame ${number}`))
    await written.commit()
  }
  await written.close()
  await machine.world.files.remove('/data/stores/000002/CURRENT')
  const journal = await openJournal(machine.world, { storeBytes: 1e6 })
  const all = upTo(1, journal.nextPosition)
  const cursor = journal.cursor()
  const before = await rest(cursor)
  expect(before.length).toBeLessThan(all.length)
  await journal.repaired()
  const again = journal.cursor(cursor.place)
  const late: number[] = []
  for (let some = await again.next(1); some.length > 0; some = await again.next(1)) {
    for (const { position, late: isLate } of some) if (isLate) late.push(position)
  }
  expect(late.length).toBeGreaterThan(0)
  expect(new Set([...before, ...late]).size).toBe(before.length + late.length)
  const readable = await rest(journal.cursor())
  expect([...before, ...late].sort((a, b) => a - b)).toEqual(readable.filter((position) => position < all.length + 1))
})

test('what it is told to pass over is not given, and is not missing', async () => {
  const journal = await filled(9)
  const passOver = ({ firstPosition }: { firstPosition: number }): boolean => firstPosition % 3 === 0
  const cursor = journal.cursor({ passOver })
  const positions = await rest(cursor, 1)
  expect(positions).toEqual(upTo(1, journal.nextPosition).filter((position) => position % 3 !== 0))
  expect(cursor.place).toEqual({ position: journal.nextPosition, skipped: [] })
})
