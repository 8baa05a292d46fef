import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sealSteps } from '../../src/captures/seal.ts'
import { capturesPath, sealedFolders } from '../../src/captures/sealed.ts'
import { verifyCaptures } from '../../src/captures/verify-captures.ts'
import { realFiles } from '../../src/world/real/files.ts'
import { realZstd } from '../../src/world/real/zstd.ts'

const sealer = new URL('./sealer.ts', import.meta.url).pathname

const seal = (directory: string, step?: string): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [sealer, directory, ...(step === undefined ? [] : [step])], { encoding: 'utf8' })

test.each(sealSteps)('kill -9 when it is %s: one sealed folder, and never a half one', async (step) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-sealer-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  expect(seal(directory, step).signal).toBe('SIGKILL')
  const found = await verifyCaptures({ files: realFiles, zstd: realZstd }, capturesPath(directory))
  expect(found.problems).toEqual([])
  expect(found.folders).toBe(['renamed', 'folder synced', 'noted'].includes(step) ? 1 : 0)
  const again = seal(directory)
  expect(again.stderr).toBe('')
  const sealed = await sealedFolders(realFiles, directory)
  expect(again.stdout).toBe(`${sealed.map(({ folder }) => folder).join('\n')}\n`)
  expect(sealed.length).toBe(1)
  const whole = await verifyCaptures({ files: realFiles, zstd: realZstd }, capturesPath(directory))
  expect(whole).toMatchObject({ folders: 1, files: 3, frames: 20_000, messages: 20_000, problems: [] })
})
