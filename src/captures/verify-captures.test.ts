import { expect, test } from 'vitest'
import { directory } from '../journal/fixtures.ts'
import { Lab } from './fixtures.ts'
import { capturesPath } from './sealed.ts'
import { verifyCaptures } from './verify-captures.ts'

const root = capturesPath(directory)

async function sealedDays(): Promise<Lab> {
  const lab = new Lab()
  await lab.start()
  await lab.live(41, 3_600_000, ['spin30', 'spin31'])
  await lab.stop()
  return lab
}

test('sealed folders are sound', async () => {
  const lab = await sealedDays()
  const report = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(report).toMatchObject({ folders: 2, files: 4, frames: 80, messages: 80, problems: [] })
})

test.each([
  [
    'a byte that changed',
    'damaged',
    (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))
  ],
  ['a file cut off', 'damaged', (bytes: Buffer) => bytes.subarray(0, 20)],
  ['an empty file', 'damaged', () => Buffer.alloc(0)]
])('%s is %s', async (_, kind, change) => {
  const lab = await sealedDays()
  const { files } = lab.machine.world
  const path = `${root}/daily/2026-11-02/spin31.jsonl.zst`
  await lab.do(files.writeFile(path, change(await lab.do(files.readFile(path)))))
  const { problems } = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(problems).toEqual([{ folder: 'daily/2026-11-02', file: 'spin31.jsonl.zst', kind }])
})

test('a folder that a newer release has sealed is left as it is, and named', async () => {
  const lab = await sealedDays()
  const { files } = lab.machine.world
  const path = `${root}/daily/2026-11-02/manifest.json`
  const newer = (await lab.do(files.readFile(path))).toString().replace('"format": 1', '"format": 2')
  await lab.do(files.writeFile(path, newer))
  const { problems } = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(problems).toEqual([{ folder: 'daily/2026-11-02', kind: 'of a newer release' }])
  // Also where nothing is known of it.
  await lab.do(files.remove(`${directory}/readers`))
  lab.machine.start()
  await lab.start()
  await lab.live(24)
  expect((await lab.do(files.readFile(path))).toString()).toBe(newer)
  expect((await lab.do(files.list(`${root}/daily`))).map(({ name }) => name)).toEqual([
    '2026-11-02',
    '2026-11-03',
    '2026-11-04'
  ])
  await lab.stop()
})

test('what is missing, misplaced or not listed is named', async () => {
  const lab = await sealedDays()
  const { files } = lab.machine.world
  await lab.do(files.remove(`${root}/daily/2026-11-02/spin30.jsonl.zst`))
  await lab.do(files.writeFile(`${root}/daily/2026-11-02/notes.txt`, 'x'))
  await lab.do(files.rename(`${root}/daily/2026-11-03`, `${root}/daily/2026-12-03`))
  await lab.do(files.makeDirectory(`${root}/daily/2026-12-04`))
  const { problems } = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(problems).toEqual([
    { folder: 'daily/2026-11-02', file: 'spin30.jsonl.zst', kind: 'missing' },
    { folder: 'daily/2026-11-02', file: 'notes.txt', kind: 'not listed' },
    { folder: 'daily/2026-12-03', kind: 'misplaced' },
    { folder: 'daily/2026-12-04', kind: 'no manifest' }
  ])
})
