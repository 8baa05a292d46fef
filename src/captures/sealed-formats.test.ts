import { zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { directory, START_US, told } from '../journal/fixtures.ts'
import { compressionOf, readCompressed } from './compressed-file.ts'
import { exportToDirectory } from './export.ts'
import { daily, HOUR_MS, Lab } from './fixtures.ts'
import { type FormatName, folderFormat, formatNames } from './formats/formats.ts'
import { capturesPath } from './sealed.ts'
import { verifyCaptures } from './verify-captures.ts'

const root = capturesPath(directory)
const users = ['anna', '../../ben', 'anna']

/** Two days of commands, some of them by somebody who calls himself a path. */
async function sealedIn(format: FormatName, hours = 41): Promise<Lab> {
  const lab = new Lab([{ ...daily, format }])
  await lab.start()
  for (let hour = 0; hour < hours; hour++) {
    for (const stream of ['spin30', 'spin31']) lab.journal.append(command(lab, hour, stream))
    lab.journal.append(told('spin30', hour % 2 === 0 ? 'no JSON' : '{"type":"log"}'))
    await lab.simulation.run(HOUR_MS)
  }
  return lab
}

function command(lab: Lab, number: number, stream: string): ReturnType<typeof told> {
  const [user, t] = [users[number % users.length], lab.simulation.nowUs / 1000]
  const message = { user, t, exp: 'spinner', course: 'cie3', hardware: stream, type: 'analytics' }
  return told(stream, JSON.stringify({ ...message, payload: { log: number % 2 === 0 ? 'voltage' : 'position' } }))
}

async function contentOf(lab: Lab, path: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  await lab.do(
    readCompressed(lab.machine.world, path, compressionOf(path), (piece) => void pieces.push(Buffer.from(piece)))
  )
  return Buffer.concat(pieces)
}

test.each(formatNames)('a folder of %s holds what an export of its window does', async (format) => {
  const lab = await sealedIn(format)
  const [sealed] = await lab.sealed()
  const { window, content, files: listed } = sealed!.manifest
  expect(content).toBe(format)
  const query = { fromUs: window!.fromUs, toUs: window!.toUs }
  const report = await lab.do(
    exportToDirectory(lab.machine.world, lab.journal, '/out', {
      query,
      format: folderFormat(format, { compression: 'zstd' })
    })
  )
  expect(listed.map(({ name }) => name)).toEqual(report.files)
  expect(report.files.length).toBeGreaterThan(1)
  for (const { name } of listed) {
    expect(await contentOf(lab, `${sealed!.path}/${name}`)).toEqual(await contentOf(lab, `/out/${name}`))
  }
  const counted = sealed!.manifest.streams.reduce((sum, { messages }) => sum + messages, 0)
  expect([counted, sealed!.manifest.leftOut ?? 0]).toEqual([report.messages, report.leftOut])
  expect(report.leftOut).toBe(format === 'primary' ? 8 : 0)
})

test.each(formatNames)('a byte that changes in a folder of %s is found with nothing but the folder', async (format) => {
  const lab = await sealedIn(format)
  const { files } = lab.machine.world
  expect(await lab.do(verifyCaptures(lab.machine.world, root))).toMatchObject({ folders: 2, problems: [] })
  const [{ path, manifest } = { path: '', manifest: undefined }] = await lab.sealed()
  for (const { name } of manifest!.files) {
    const whole = await lab.do(files.readFile(`${path}/${name}`))
    const changed = Buffer.from(whole)
    changed[changed.length >> 1]! ^= 1
    await lab.do(files.writeFile(`${path}/${name}`, changed))
    const { problems } = await lab.do(verifyCaptures(lab.machine.world, root))
    expect(problems).toEqual([{ folder: 'daily/2026-11-02', file: name, kind: 'damaged' }])
    await lab.do(files.writeFile(`${path}/${name}`, whole))
  }
})

test('only what is compressed as a whole says what comes out of it', async () => {
  for (const format of formatNames) {
    const [sealed] = await (await sealedIn(format)).sealed()
    for (const { name, uncompressed } of sealed!.manifest.files) {
      expect(uncompressed === undefined, name).toBe(!name.endsWith('.zst'))
    }
  }
})

test.each(formatNames)('what comes later to a window of %s makes a supplement with just that', async (format) => {
  const lab = await sealedIn(format)
  const stamp = { wallUs: START_US + 5_000_000, monoUs: 1, boot: 'elsewhere', source: 'ntp' } as const
  lab.journal.append({ ...command(lab, 0, 'spin32'), origin: 'import', stamp })
  await lab.do(lab.journal.commit())
  await lab.do(lab.captures.run('daily', START_US))
  expect(await lab.folders()).toEqual(['daily/2026-11-02', 'daily/2026-11-02-2', 'daily/2026-11-03'])
  const supplement = (await lab.sealed()).find(({ folder }) => folder.endsWith('-2'))
  expect(supplement!.manifest.files.map(({ name }) => name)).toEqual(
    {
      envelope: ['spin32.jsonl.zst'],
      raw: ['spin32.jsonl.zst'],
      parquet: ['spin32-2026-11-02.parquet'],
      primary: ['anna-spin32-spinner-cie3.json', 'anna-spinner-cie3-adjacency.csv']
    }[format]
  )
  expect((await lab.do(verifyCaptures(lab.machine.world, root))).problems).toEqual([])
})

test('Parquet has one file a stream and day of the zone of the capture', async () => {
  const lab = new Lab([
    { ...daily, schedule: '0 0 * * 1', durationMs: 3 * 24 * HOUR_MS, timeZone: 'Asia/Kathmandu', format: 'parquet' }
  ])
  await lab.start()
  await lab.live(96)
  const [sealed] = await lab.sealed()
  const names = sealed!.manifest.files.map(({ name }) => name)
  expect(names).toEqual(['02', '03', '04'].map((day) => `spin30-2026-11-${day}.parquet`))
  const midnightUs = Date.UTC(2026, 10, 2, 18, 15) * 1000
  const times: number[] = []
  for (const name of names.slice(0, 2)) {
    const bytes = await lab.do(lab.machine.world.files.readFile(`${sealed!.path}/${name}`))
    const compressors = { ZSTD: (data: Uint8Array) => new Uint8Array(zstdDecompressSync(data)) }
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors })
    times.push(...rows.map(({ time_us }) => Number(time_us)).filter((us) => us < midnightUs === name.includes('-02.')))
    expect(rows.length).toBeGreaterThan(10)
  }
  expect(times.length).toBe((await lab.range(0, midnightUs + 24 * HOUR_MS * 1000)).length)
})

test("the primary's layout says in the manifest what an encoded name stands for", async () => {
  const [sealed] = await (await sealedIn('primary')).sealed()
  const { names, files } = sealed!.manifest
  expect(Object.values(names)).toEqual(['../../ben'])
  const [code] = Object.keys(names)
  expect(files.map(({ name }) => name)).toEqual([
    `${code}-spin30-spinner-cie3.json`,
    `${code}-spin31-spinner-cie3.json`,
    `${code}-spinner-cie3-adjacency.csv`,
    'anna-spin30-spinner-cie3.json',
    'anna-spin31-spinner-cie3.json',
    'anna-spinner-cie3-adjacency.csv',
    'names.json'
  ])
})

test('without any time there is one Parquet file a stream', async () => {
  const lab = new Lab([{ ...daily, format: 'parquet' }])
  lab.machine.clock.setSynchronised(false)
  lab.machine.clock.setWall(0)
  await lab.start()
  await lab.live(50)
  const undated = (await lab.sealed()).find(({ manifest }) => manifest.undated)
  expect(undated!.manifest.files.map(({ name }) => name)).toEqual(['spin30.parquet'])
})
