import { createHash } from 'node:crypto'
import { type Manifest, writeManifest } from '../captures/manifest.ts'
import type { Files } from '../world/files.ts'
import type { Us } from '../world/time.ts'

const DAY_US = 86_400_000_000

/** 2026-11-02T00:00:00Z. */
const FIRST_DAY_US: Us = Date.UTC(2026, 10, 2) * 1000

/** Puts a sealed folder of the daily capture into a data folder, made by hand; gives its name, `daily/2026-11-02`. */
export async function sealDay(
  files: Files,
  directory: string,
  site: string,
  day: number,
  contents: Readonly<Record<string, Uint8Array>>
): Promise<string> {
  const fromUs = FIRST_DAY_US + day * DAY_US
  const toUs = fromUs + DAY_US
  const iso = (us: Us): string => new Date(us / 1000).toISOString().replace('.000Z', '+00:00')
  const folder = iso(fromUs).slice(0, 10)
  const manifest: Manifest = {
    format: 1,
    version: '0.1.0',
    site,
    capture: 'daily',
    folder,
    supplement: 1,
    window: {
      fromUs,
      toUs,
      from: iso(fromUs),
      to: iso(toUs),
      timeZone: 'UTC',
      schedule: '0 0 * * *',
      durationMs: DAY_US / 1000
    },
    sealedUs: toUs + 5_000_000,
    sealed: iso(toUs + 5_000_000),
    content: 'envelope',
    streams: [],
    files: Object.entries(contents).map(([name, content]) => {
      const sha256 = createHash('sha256').update(content).digest('hex')
      return { name, bytes: content.length, sha256, uncompressed: { bytes: content.length, sha256 } }
    }),
    names: {},
    journal: { before: (day + 1) * 100, missing: [], completeBelow: (day + 1) * 100 }
  }
  const path = `${directory}/captures/daily/${folder}`
  await files.makeDirectory(path, 0o750)
  for (const [name, content] of Object.entries(contents)) await files.writeFile(`${path}/${name}`, content, 0o640)
  await files.writeFile(`${path}/manifest.json`, writeManifest(manifest), 0o640)
  return `daily/${folder}`
}
