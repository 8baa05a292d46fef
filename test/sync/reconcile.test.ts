import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Primary, type Ran, ran } from './rig.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
let place: string
let primary: Primary
let ssh: string

const understudy = (...args: string[]): Promise<Ran> =>
  ran(process.execPath, [main, ...args, '--data', `${place}/data`])

function command(t: number, log: string): string {
  const where = { exp: 'spinner', course: 'cie3', hardware: 'spin30', type: 'analytics' }
  return `${JSON.stringify({ user: 'anna', t: 1_700_000_000_000 + t, ...where, payload: { log } })}\n`
}
const commands = ['voltage', 'speed', 'position'].map((log, index) => command(index, log))

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'understudy-reconcile-'))
  primary = await Primary.start()
  const key = `${place}/key`
  expect((await ran('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])).code).toBe(0)
  await primary.install('any', [(await readFile(`${key}.pub`, 'utf8')).trim()])
  ssh = `ssh -F none -p ${primary.port} -i ${key} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=${place}/known`
  await mkdir(`${primary.directory}/data path`)
  await writeFile(`${primary.directory}/data path/anna-spin30-spinner-cie3.json`, commands.slice(1).join(''))
  await writeFile(`${place}/spin30.jsonl`, commands.slice(0, 2).join(''))
  expect(await understudy('import', '--raw', `${place}/spin30.jsonl`)).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await primary.remove()
  await rm(place, { recursive: true })
})

test('a primary on another machine is fetched, compared and healed, and nothing of it is left behind', async () => {
  const there = `${userInfo().username}@127.0.0.1:${primary.directory}/data path`
  const found = await understudy('reconcile', '--primary', there, '--ssh', ssh, '--json')
  expect(found).toMatchObject({ code: 1, err: '' })
  expect(JSON.parse(found.out).days).toMatchObject([{ both: 1, onlyPrimary: 1, onlyPi: 1 }])
  expect(await understudy('restore', '--heal', there, '--ssh', ssh, '--out', `${place}/healed`)).toMatchObject({
    code: 0
  })
  expect(await readFile(`${place}/healed/anna-spin30-spinner-cie3.json`, 'utf8')).toBe(commands[2])
  expect(await understudy('reconcile', '--primary', `${place}/healed`)).toMatchObject({ code: 0 })
  expect(await readdir(`${place}/data`)).not.toContain('primary.fetched')
})

test('what cannot be fetched is told by its reason', async () => {
  const { code, err } = await understudy('reconcile', '--primary', 'nobody@127.0.0.1:/nowhere', '--ssh', ssh)
  expect(code).toBe(1)
  expect(err).toContain('UNDERSTUDY_SYNC_KEY_REFUSED')
})
