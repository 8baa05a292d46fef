import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { exposure } from './exposure.ts'

const unit = new URL('../../systemd/understudy.service', import.meta.url).pathname

test('the unit is exposed by at most 1.2', async () => {
  expect(await exposure(unit)).toBeLessThanOrEqual(1.2)
})

test('without one of its walls it would not be', async () => {
  const folder = await mkdtemp(`${tmpdir()}/understudy-unit-`)
  onTestFinished(() => rm(folder, { recursive: true }))
  const lines = (await readFile(unit, 'utf8')).split('\n')
  for (const wall of ['PrivateUsers=', 'ProtectSystem=', 'CapabilityBoundingSet=', 'SystemCallFilter=']) {
    const less = lines.filter((line) => !line.startsWith(wall))
    expect(less.length, wall).toBeLessThan(lines.length)
    await writeFile(`${folder}/understudy.service`, less.join('\n'))
    expect(await exposure(`${folder}/understudy.service`), wall).toBeGreaterThan(1.2)
  }
})
