import { beforeEach, expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import { Doorkeeper } from './doorkeeper.ts'
import type { Password } from './password.ts'

const HOUR_MS = 3_600_000

let simulation: Simulation
let door: Doorkeeper
let asked: number

beforeEach(() => {
  simulation = new Simulation(6)
  asked = 0
  const is = async (text: string): Promise<boolean> => {
    asked++
    return text === 'right'
  }
  door = new Doorkeeper({ is } as Password, simulation.machine('pi').world)
})

async function judgements(count: number, text: string, address = '10.0.0.1'): Promise<string[]> {
  const found: string[] = []
  for (let i = 0; i < count; i++) found.push(await door.judge(text, address))
  return found
}

test('after ten wrong ones an address waits for an hour, and others do not', async () => {
  expect(await judgements(10, 'wrong')).toEqual(Array(10).fill('wrong'))
  expect(await judgements(1, 'right')).toEqual(['too many'])
  expect(asked).toBe(10)
  expect(await judgements(1, 'right', '10.0.0.2')).toEqual(['right'])
  await simulation.run(HOUR_MS)
  expect(await judgements(1, 'wrong')).toEqual(['wrong'])
})

test('from many addresses together there are not many more', async () => {
  for (let i = 0; i < 300; i++) await door.judge('wrong', `10.0.${i}.1`)
  expect(asked).toBe(200)
})

test('of many at once few wait, and they count as if they came one after the other', async () => {
  const given = await Promise.all(Array.from({ length: 50 }, () => door.judge('wrong', '10.0.0.1')))
  expect(given.filter((one) => one === 'wrong')).toHaveLength(4)
})

test('a program that gives the right one again and again costs nothing more', async () => {
  expect(await judgements(100, 'right')).toEqual(Array(100).fill('right'))
  expect(asked).toBe(1)
  expect(await judgements(1, 'righu')).toEqual(['wrong'])
})

test('sessions end, by time and when there are too many', async () => {
  const { secret, lastsMs } = door.begin()
  expect([door.isInside(secret), door.isInside(''), door.isInside(`${secret}x`)]).toEqual([true, false, false])
  await simulation.run(lastsMs)
  expect(door.isInside(secret)).toBe(false)
  const first = door.begin().secret
  for (let i = 0; i < 200; i++) door.begin()
  expect(door.isInside(first)).toBe(false)
})
