import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodedName, Pi, Primary, until } from './rig.ts'

let primary: Primary
let pi: Pi

beforeEach(async () => {
  primary = await Primary.start()
  pi = await Pi.make('north', primary)
})

afterEach(async () => {
  await pi.remove()
  await primary.remove()
})

const DAY = 'daily/2026-11-02'

test.each<[string, () => boolean | Promise<boolean>]>([
  ['it is on record', () => existsSync(`${pi.data}/sync/handed/${DAY}.json`)],
  ['an attempt is on record', async () => ((await pi.handed(DAY))?.attempts ?? 0) > 0],
  ['the hidden place is made', () => existsSync(pi.there(`.partial/${DAY}/1`))],
  ['a file has arrived', () => existsSync(pi.there(`.partial/${DAY}/1/${encodedName}`))],
  ['it is put into place', () => existsSync(pi.there(`${DAY}/spin30.jsonl.zst`))],
  ['the manifest is there', () => existsSync(pi.there(`${DAY}/manifest.json`))],
  ['it is on record as sent', async () => (await pi.handed(DAY))?.sentMs !== undefined],
  ['the receipt is written', () => existsSync(`${primary.directory}/receipts/north/${DAY}.sha256`)],
  ['the receipt has come', () => existsSync(`${pi.data}/sync/receipts/${DAY}.sha256`)],
  ['it is on record as confirmed', async () => (await pi.handed(DAY))?.confirmedMs !== undefined]
])('killed when %s: one folder, whole, and nothing believed early', async (_, reached) => {
  await pi.configure(['bandwidth = "2MB"'])
  primary.watch('north')
  expect(await pi.seal(0, 2_000_000)).toBe(DAY)
  const child = pi.spawn('sync')
  const exit = new Promise((resolve) => child.once('exit', resolve))
  await Promise.race([until(reached), exit])
  child.kill('SIGKILL')
  await exit
  if ((await pi.handed(DAY))?.confirmedMs !== undefined) expect(await pi.difference(DAY)).toBe('')
  expect(existsSync(`${pi.data}/captures/${DAY}/manifest.json`)).toBe(true)
  await until(async () => (await pi.understudy('sync')).code === 0 && (await pi.handed(DAY))?.confirmedMs !== undefined)
  expect(await pi.difference(DAY)).toBe('')
  expect(await readdir(pi.there('daily'))).toEqual(['2026-11-02'])
})
