import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import { type Manifest, readManifest, writeManifest } from './manifest.ts'
import { sealedFolder, sealedFolders } from './sealed.ts'

const hash = 'a'.repeat(64)

const manifest: Manifest = {
  format: 1,
  version: '0.1.0',
  site: 'north',
  capture: 'daily',
  folder: '2026-03-29',
  supplement: 1,
  window: {
    fromUs: 1,
    toUs: 2,
    from: '2026-03-29T00:00:00+00:00',
    to: '2026-03-30T00:00:00+01:00',
    timeZone: 'Europe/London',
    schedule: '0 0 * * *',
    durationMs: 86_400_000
  },
  sealedUs: 3,
  sealed: '2026-03-30T00:00:03+01:00',
  content: 'envelope',
  streams: [
    {
      stream: 'spin30',
      frames: 1,
      messages: 1,
      others: 0,
      erased: 0,
      timeUncertain: 0,
      payloadBytes: 9,
      first: { seq: 1, position: 4, timeUs: 1 },
      last: { seq: 1, position: 4, timeUs: 1 },
      origins: { relay: 1, own: 0, import: 0 },
      coverage: { fromUs: 1, toUs: 2, heardUs: 0, rest: [{ fromUs: 1, toUs: 2, kind: 'gap', cause: 'silent' }] }
    }
  ],
  files: [{ name: 'spin30.jsonl.zst', bytes: 5, sha256: hash, uncompressed: { bytes: 9, sha256: hash } }],
  names: {},
  journal: {
    before: 9,
    missing: [],
    first: { position: 1, chain: hash },
    last: { position: 9, chain: hash },
    completeBelow: 9
  }
}

test('a manifest comes back as it was written', () => {
  expect(readManifest(writeManifest(manifest))).toEqual(manifest)
})

test('what is no manifest is none, and no name in one is a path', () => {
  const changed = (change: object): Buffer => Buffer.from(JSON.stringify({ ...manifest, ...change }))
  expect(readManifest(changed({ format: 2 }))).toBe(undefined)
  for (const name of ['../x', 'a/b', '.x', '', 'x\0', '..']) {
    expect(readManifest(changed({ files: [{ ...manifest.files[0], name }] }))).toBe(undefined)
    expect(readManifest(changed({ folder: name }))).toBe(undefined)
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => readManifest(Buffer.from(bytes)) === undefined))
})

test('sealed folders are found by capture and name, and nothing unfinished', async () => {
  const { files } = new Simulation(1).machine('pi').world
  expect(await sealedFolders(files, '/data')).toEqual([])
  const put = async (name: string, content: Buffer): Promise<void> => {
    await files.makeDirectory(`/data/captures/${name}`)
    await files.writeFile(`/data/captures/${name}/manifest.json`, content)
  }
  await put('hourly/2026-03-29T0100', writeManifest(manifest))
  await put('daily/2026-03-29', writeManifest(manifest))
  await put('daily/.2026-03-30.new', writeManifest(manifest))
  await put('daily/2026-03-31', Buffer.from('{'))
  await files.makeDirectory('/data/captures/daily/2026-04-01')
  const found = await sealedFolders(files, '/data')
  expect(found.map(({ capture, folder, path }) => [capture, folder, path])).toEqual([
    ['daily', '2026-03-29', '/data/captures/daily/2026-03-29'],
    ['hourly', '2026-03-29T0100', '/data/captures/hourly/2026-03-29T0100']
  ])
  expect(found[0]!.manifestSha256).toMatch(/^[0-9a-f]{64}$/)
  expect(await sealedFolder(files, '/data', 'daily', '2026-03-29')).toEqual(found[0])
})
