import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ran } from '../sync/rig.ts'

/** What the Pi sets its clock to at its start. `date` is one that says what it is told to set. */

const script = new URL('../../pi-image/files/usr/local/lib/understudy/clock', import.meta.url).pathname
const DAY_S = 86_400
const BUILT_S = 1_800_000_000

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/understudy-clock-`)
  await mkdir(`${folder}/data/stores`, { recursive: true })
  await mkdir(`${folder}/bin`)
  await writeFile(`${folder}/bin/date`, `#!/bin/sh\n[ "$1" = +%s ] && cat ${folder}/now || echo "$1" >${folder}/set\n`)
  await chmod(`${folder}/bin/date`, 0o755)
  await file('built', BUILT_S)
})

afterEach(() => rm(folder, { recursive: true }))

async function file(name: string, changedS: number): Promise<void> {
  await writeFile(`${folder}/${name}`, '')
  await utimes(`${folder}/${name}`, changedS, changedS)
}

/** What a clock that says `nowS` is set to, in seconds; `undefined` when it is left alone. */
async function setFrom(nowS: number): Promise<number | undefined> {
  await writeFile(`${folder}/now`, String(nowS))
  const PATH = `${folder}/bin:${process.env['PATH']}`
  const { code, err } = await ran('env', [`PATH=${PATH}`, script, `${folder}/data`, `${folder}/built`])
  expect([code, err]).toEqual([0, ''])
  const set = await readFile(`${folder}/set`, 'utf8').catch(() => '')
  return set === '' ? undefined : Number(/^--set=@(\d+)\n$/.exec(set)?.[1])
}

test('the head of the journal says it', async () => {
  await file('data/head', BUILT_S + 9 * DAY_S)
  expect(await setFrom(BUILT_S)).toBe(BUILT_S + 9 * DAY_S)
})

test('it is never set back', async () => {
  await file('data/head', BUILT_S + 9 * DAY_S)
  expect(await setFrom(BUILT_S + 10 * DAY_S)).toBeUndefined()
})

test('files that are left from when the clock was wrong do not count any more once it was put right', async () => {
  await file('data/stores/000001.ldb', BUILT_S + 4000 * DAY_S)
  await file('data/head', BUILT_S + 9 * DAY_S)
  expect(await setFrom(BUILT_S)).toBe(BUILT_S + 9 * DAY_S)
})

test('without a head the newest file says it, but not one of a time that no card lives to see', async () => {
  await file('data/stores/000001.ldb', BUILT_S + 50 * DAY_S)
  await file('data/stores/000002.ldb', BUILT_S + 60 * DAY_S)
  await file('data/stores/000003.ldb', BUILT_S + 8000 * DAY_S)
  expect(await setFrom(BUILT_S)).toBe(BUILT_S + 60 * DAY_S)
})

test('nor does a head of such a time count', async () => {
  await file('data/head', BUILT_S + 8000 * DAY_S)
  expect(await setFrom(BUILT_S)).toBeUndefined()
})

test('on a new card nothing says anything', async () => {
  expect(await setFrom(BUILT_S)).toBeUndefined()
})
