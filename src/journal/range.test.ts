import { expect, test } from 'vitest'
import type { Us } from '../world/time.ts'
import { aMachine, HOUR_US, openJournal, START_US, texts, told } from './fixtures.ts'
import type { Journal } from './journal.ts'

/** A frame a commit, made at these hours after the start. */
async function at(hours: readonly number[], storeBytes = 256e6, { world } = aMachine()): Promise<Journal> {
  const journal = await openJournal(world, { storeBytes })
  for (const hour of hours) {
    journal.append({ ...told('spin30', `${hour}`), origin: 'import', stamp: stamp(START_US + hour * HOUR_US) })
    await journal.commit()
  }
  return journal
}

function stamp(wallUs: Us) {
  return { wallUs, monoUs: 7, boot: '', source: 'none' } as const
}

const hour = (number: number): Us => START_US + number * HOUR_US

test.each([256e6, 1])(
  'gives what was made in a period, its end excluded, in stores of %d bytes',
  async (storeBytes) => {
    const journal = await at([0, 0.5, 1, 1.999, 2, 5, 26], storeBytes)
    expect(await texts(journal.range({ fromUs: hour(0.5), toUs: hour(2) }))).toEqual(['0.5', '1', '1.999'])
    expect(await texts(journal.range({ fromUs: hour(2), toUs: hour(2) + 1 }))).toEqual(['2'])
    expect(await texts(journal.range({ fromUs: hour(3), toUs: hour(4) }))).toEqual([])
    expect(await texts(journal.range({ fromUs: hour(5) }))).toEqual(['5', '26'])
    expect(await texts(journal.range({ toUs: hour(1) }))).toEqual(['0', '0.5'])
    expect(await texts(journal.range({}))).toHaveLength(7)
  }
)

test('finds what was imported late, in order of arrival', async () => {
  const journal = await at([10, -1000, 11, -999.5, 12])
  expect(await texts(journal.range({ toUs: hour(0) }))).toEqual(['-1000', '-999.5'])
  expect(await texts(journal.range({ fromUs: hour(10) }))).toEqual(['10', '11', '12'])
  expect(await texts(journal.range({}))).toEqual(['10', '-1000', '11', '-999.5', '12'])
})

test('finds what lies between in a commit with an old and a new frame', async () => {
  const journal = await at([])
  for (const number of [-5, 0, -3]) {
    journal.append({ ...told('spin30', `${number}`), origin: 'import', stamp: stamp(hour(number)) })
  }
  await journal.commit()
  expect(await texts(journal.range({ fromUs: hour(-4), toUs: hour(-1) }))).toEqual(['-3'])
})

test('a clock before 1970 hides nothing', async () => {
  const journal = await at([])
  journal.append({ ...told('spin30', 'early'), stamp: stamp(-5) })
  journal.append({ ...told('spin30', 'zero'), stamp: stamp(0) })
  await journal.commit()
  expect(await texts(journal.range({}))).toEqual(['early', 'zero'])
  expect(await texts(journal.range({ fromUs: 0 }))).toEqual(['zero'])
  expect(await texts(journal.range({ fromUs: -10, toUs: 0 }))).toEqual(['early'])
})

test('by stream, and up to a position', async () => {
  const journal = await at([0, 1])
  const before = journal.nextPosition
  journal.append({ ...told('spin31', 'other'), stamp: stamp(hour(1)) })
  await journal.commit()
  expect(await texts(journal.range({ streams: new Set(['spin31']) }))).toEqual(['other'])
  expect(await texts(journal.range({ streams: new Set() }))).toEqual([])
  expect(await texts(journal.range({ before }))).toEqual(['0', '1'])
  expect(await texts(journal.range({ before: before - 1 }))).toEqual(['0'])
})

test('left early, it keeps nothing open', async () => {
  const machine = aMachine()
  const journal = await at([0, 1, 2], 1, machine)
  for await (const _ of journal.range({})) break
  await journal.close()
  expect(await texts((await openJournal(machine.world)).range({}))).toEqual(['0', '1', '2'])
})
