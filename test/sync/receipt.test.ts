import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseReceipt } from '../../src/sync/receipt.ts'
import { Primary } from './rig.ts'

const run = promisify(execFile)

let primary: Primary
let far: string

beforeEach(async () => {
  primary = await Primary.start()
  far = primary.directory
})

afterEach(() => primary.remove())

async function upload(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(`${far}/${path}`, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(`${far}/${path}/${name}`, content)
}

const receiptOf = (path: string): Promise<string> => readFile(`${far}/receipts/${path}.sha256`, 'utf8')

test('a whole folder gets a receipt, once; what is not whole, hidden or another site gets none', async () => {
  await upload('north/daily/2026-11-02', {
    'manifest.json': '{}',
    'spin30.jsonl.zst': 'x',
    '.spin31.jsonl.zst.Ab3': 'part'
  })
  await upload('north/daily/2026-11-03', { 'spin30.jsonl.zst': 'x' })
  await upload('north/.partial/daily/2026-11-03/1', { 'manifest.json': '{}' })
  await upload('north/.partial/x', { 'manifest.json': '{}' })
  await upload('south/daily/2026-11-02', { 'manifest.json': '{}' })
  expect(await primary.receipt('north')).toMatchObject({ code: 0, err: '' })
  expect(await readdir(`${far}/receipts`)).toEqual(['north'])
  expect(await readdir(`${far}/receipts/north/daily`)).toEqual(['2026-11-02.sha256'])
  const { recheck, sums } = parseReceipt(await receiptOf('north/daily/2026-11-02'))
  expect([recheck, [...sums.keys()]]).toEqual(['', ['manifest.json', 'spin30.jsonl.zst']])
  expect(sums.get('spin30.jsonl.zst')).toBe('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881')

  const { ino } = await stat(`${far}/receipts/north/daily/2026-11-02.sha256`)
  await primary.receipt('north')
  expect((await stat(`${far}/receipts/north/daily/2026-11-02.sha256`)).ino).toBe(ino)
})

test('odd names do no harm', async () => {
  const odd = ['o d\'d"', '$(touch x)', 'a\nb', '-rf', '*', 'é\\']
  for (const name of odd) await upload(`north/${name}/${name}`, { 'manifest.json': '{}', [name]: 'x' })
  await mkdir(`${far}/north/daily`)
  await symlink('/etc', `${far}/north/daily/2026-11-02`)
  await upload('north/daily/2026-11-03', { 'manifest.json': '{}' })
  await symlink('/etc/passwd', `${far}/north/daily/2026-11-03/passwd`)
  expect(await primary.receipt('north')).toMatchObject({ code: 0, err: '' })
  expect((await readdir(`${far}/receipts/north`)).sort()).toEqual([...odd, 'daily'].sort())
  for (const name of odd) expect(parseReceipt(await receiptOf(`north/${name}/${name}`)).sums.size).toBe(2)
  expect(await readdir(`${far}/receipts/north/daily`)).toEqual(['2026-11-03.sha256'])
  expect(parseReceipt(await receiptOf('north/daily/2026-11-03')).sums.size).toBe(1)
  expect(existsSync(`${far}/x`)).toBe(false)
})

test('a request is followed once, and a folder that is gone has no receipt', async () => {
  for (const day of ['2026-11-02', '2026-11-03']) await upload(`north/daily/${day}`, { 'manifest.json': '{}' })
  await primary.receipt('north')
  await appendFile(`${far}/north/daily/2026-11-02/manifest.json`, 'x')
  await primary.receipt('north')
  const before = parseReceipt(await receiptOf('north/daily/2026-11-02'))
  await upload('north/.notes', {
    '20261109T000000Z-recheck': '',
    '20261110T000000Z-recheck': '',
    '20261111T000000Z': ''
  })
  await rm(`${far}/north/daily/2026-11-03`, { recursive: true })
  await primary.receipt('north')
  const after = parseReceipt(await receiptOf('north/daily/2026-11-02'))
  expect([before.recheck, after.recheck]).toEqual(['', '20261110T000000Z-recheck'])
  expect(after.sums.get('manifest.json')).not.toBe(before.sums.get('manifest.json'))
  expect(await readdir(`${far}/receipts/north/daily`)).toEqual(['2026-11-02.sha256'])
})

test('a site that has sent nothing, and a folder that is none, are said so by the exit code', async () => {
  expect((await primary.receipt('nobody')).code).toBe(2)
})

test.skipIf(userInfo().uid !== 0 && process.env['CI'] !== 'true')(
  'on a full disk no receipt is half; the rest come when there is room (as root)',
  async () => {
    for (const day of ['2026-11-02', '2026-11-03']) await upload(`north/daily/${day}`, { 'manifest.json': '{}' })
    await mkdir(`${far}/receipts`)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', `${far}/receipts`])
    try {
      await mkdir(`${far}/receipts/north/daily`, { recursive: true })
      await run('sh', ['-c', `cat /dev/zero >'${far}/receipts/fill' 2>/dev/null || :`])
      expect((await primary.receipt('north')).code).not.toBe(0)
      expect(await readdir(`${far}/receipts/north/daily`)).toEqual([])
      await rm(`${far}/receipts/fill`)
      expect((await primary.receipt('north')).code).toBe(0)
      expect((await readdir(`${far}/receipts/north/daily`)).length).toBe(2)
    } finally {
      await run('umount', [`${far}/receipts`])
    }
  }
)
