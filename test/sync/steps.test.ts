import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sealSteps } from '../../src/captures/seal.ts'
import { capturesPath, foldersIn } from '../../src/captures/sealed.ts'
import { verifyCaptures } from '../../src/captures/verify-captures.ts'
import { readCatalogue } from '../../src/journal/catalogue.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { syncSteps } from '../../src/sync/step.ts'
import { realFiles } from '../../src/world/real/files.ts'
import { realZstd } from '../../src/world/real/zstd.ts'
import { Pi, Primary } from './rig.ts'

const hander = new URL('./hander.ts', import.meta.url).pathname
const world = { files: realFiles, zstd: realZstd }
const DAY = '2025-03-10'

let primary: Primary
let pi: Pi

beforeEach(async () => {
  primary = await Primary.start()
  pi = await Pi.make('north', primary, ['max_age = "1d"'])
  primary.watch('north')
})

afterEach(async () => {
  await pi.remove()
  await primary.remove()
})

/** Takes the day as far as it is not killed; gives the signal that ended it. */
function takeOn(step?: string): Promise<NodeJS.Signals | null> {
  const child = pi.spawnScript(hander, ...(step === undefined ? [] : [step]))
  return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
}

/** What is to be seen of the capture here. */
const here = (): Promise<string[]> => foldersIn(realFiles, `${capturesPath(pi.data)}/daily`)

/** What the journal takes to be elsewhere too. */
async function confirmed(): Promise<number> {
  return (await readCatalogue(realFiles, journalPaths(pi.data).catalogue))?.confirmed ?? 0
}

/** All of the day, once. */
async function expectWithPrimary(): Promise<void> {
  expect(await readdir(pi.there('daily'))).toEqual([DAY])
  const there = await verifyCaptures(world, pi.there(''))
  expect(there).toMatchObject({ folders: 1, files: 3, frames: 300, messages: 300, problems: [] })
}

/** The step before which nothing may be believed, nor after which nothing may be freed yet. */
const known = syncSteps.indexOf('receipts fetched')
const freed = syncSteps.indexOf('hidden')

test.each([...sealSteps, ...syncSteps])(
  'kill -9 when it is %s: one folder, never a half one, and nothing freed early',
  async (step) => {
    const at = syncSteps.indexOf(step as (typeof syncSteps)[number])
    expect(await takeOn(step)).toBe('SIGKILL')
    const found = await verifyCaptures(world, capturesPath(pi.data))
    expect(found.problems).toEqual([])
    const isSealed = at >= 0 || sealSteps.indexOf(step as (typeof sealSteps)[number]) >= sealSteps.indexOf('renamed')
    expect(await here()).toEqual(isSealed && at < freed ? [DAY] : [])
    if (at < known) expect([(await pi.handed(`daily/${DAY}`))?.confirmedMs, await confirmed()]).toEqual([undefined, 0])
    if (at >= freed) await expectWithPrimary()

    expect(await takeOn()).toBe(null)
    expect(await here()).toEqual([])
    expect(await readdir(`${capturesPath(pi.data)}/daily`)).toEqual([])
    await expectWithPrimary()
    expect(await pi.handed(`daily/${DAY}`)).toMatchObject({ removed: 'limit' })
    expect(await confirmed()).toBeGreaterThan(300)
  }
)
