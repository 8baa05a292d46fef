import { beforeEach, expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { Password } from './password.ts'

const PATH = '/data/status-password'

let world: World

beforeEach(async () => {
  world = new Simulation(4).machine('pi').world
  await world.files.makeDirectory('/data')
})

const open = (): Promise<Password> => Password.open(world, PATH)
const written = async (): Promise<string> => (await world.files.readFile(PATH)).toString().trimEnd()

test('one is made at the first start, for its owner only, and holds after a restart', async () => {
  const password = await open()
  const text = await written()
  expect(text).toMatch(/^([a-z1-9]{4}-){4}[a-z1-9]{4}$/)
  expect((await world.files.info(PATH))?.mode).toBe(0o600)
  expect((await world.files.info(`${PATH}.scrypt`))?.mode).toBe(0o600)
  expect([await password.is(text), await password.is(`${text}x`), await password.is('')]).toEqual([true, false, false])
  expect(await (await open()).is(text)).toBe(true)
  expect(await written()).toBe(text)
})

test('what it is checked against does not hold it, and is enough', async () => {
  await open()
  const text = await written()
  expect((await world.files.readFile(`${PATH}.scrypt`)).toString()).not.toContain(text)
  await world.files.remove(PATH)
  expect(await (await open()).is(text)).toBe(true)
  expect(await world.files.info(PATH)).toBeUndefined()
})

test('another one is taken when it is written into the file', async () => {
  await open()
  const before = await written()
  await world.files.writeFile(PATH, 'correct horse battery\nand a note', 0o600)
  const password = await open()
  expect([await password.is('correct horse battery'), await password.is(before)]).toEqual([true, false])
})

test('a file that others may read, one that is too short and a damaged one are refused', async () => {
  const refused = { code: 'UNDERSTUDY_STATUS_PASSWORD' }
  await world.files.writeFile(PATH, 'correct horse battery', 0o640)
  await expect(open()).rejects.toMatchObject(refused)
  await world.files.remove(PATH)
  await world.files.writeFile(PATH, 'short\n', 0o600)
  await expect(open()).rejects.toMatchObject(refused)
  await world.files.writeFile(`${PATH}.scrypt`, 'scrypt 00', 0o600)
  await expect(open()).rejects.toMatchObject(refused)
})
