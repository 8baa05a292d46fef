import { expect, test } from 'vitest'
import { encoded } from '../../test/support/encoded.ts'
import { readCatalogue } from '../journal/catalogue.ts'
import { directory, START_US } from '../journal/fixtures.ts'
import { journalPaths } from '../journal/paths.ts'
import { daily, HOUR_MS, Lab } from './fixtures.ts'
import { envelope } from './formats/envelope.ts'

test('a day that has ended becomes one folder, with what the journal has of it', async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(39)
  expect(await lab.folders()).toEqual(['daily/2026-11-02'])
  const midnightUs = START_US + 16 * HOUR_MS * 1000
  const frames = await lab.range(0, midnightUs)
  const expected = encoded(envelope, frames).lines
  expect(await lab.content('daily/2026-11-02/spin30.jsonl.zst')).toBe(expected)
  const [sealed] = await lab.sealed()
  expect(sealed?.manifest).toMatchObject({
    site: 'north',
    supplement: 1,
    window: { from: '2026-11-02T00:00:00+00:00', to: '2026-11-03T00:00:00+00:00', toUs: midnightUs },
    streams: [{ stream: 'spin30', frames: 32, messages: 32, first: { seq: 1 }, last: { seq: 32 } }]
  })
  const { completeBelow, before, first, last } = sealed!.manifest.journal
  expect(completeBelow).toBeGreaterThan(frames.at(-1)!.position)
  expect(completeBelow).toBeLessThanOrEqual((await lab.range(midnightUs, midnightUs * 2))[0]!.position)
  expect(before).toBeGreaterThanOrEqual(completeBelow)
  expect([first?.chain, last?.chain].every((chain) => /^[0-9a-f]{64}$/.test(chain ?? ''))).toBe(true)
})

const lines = (frames: Awaited<ReturnType<Lab['range']>>): string => encoded(envelope, frames).lines

test('windows that ended while the Pi was off are made late, once, with their gaps', async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(2)
  await lab.stop()
  await lab.simulation.run(3 * 24 * HOUR_MS)
  await lab.start()
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-02', 'daily/2026-11-03', 'daily/2026-11-04'])
  const [, empty] = await lab.sealed()
  expect(empty?.manifest.files).toEqual([])
  expect(empty?.manifest.streams[0]?.coverage).toMatchObject({ heardUs: 0, rest: [{ kind: 'gap' }] })
  await lab.stop()
  await lab.start()
  await lab.live(1)
  expect((await lab.folders()).length).toBe(3)
})

test("windows are made once although the readers' store is lost, and although their folders have gone", async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(60)
  const folders = await lab.folders()
  expect(folders).toEqual(['daily/2026-11-02', 'daily/2026-11-03'])
  await lab.stop()
  const { files } = lab.machine.world
  await lab.do(files.remove(`${directory}/readers`))
  await lab.do(files.remove(`${directory}/captures/daily/2026-11-02`))
  await lab.start()
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-03'])
  await lab.live(24)
  expect(await lab.folders()).toEqual(['daily/2026-11-03', 'daily/2026-11-04'])
})

test('while the time is not known nothing is sealed; then everything lies in its true window', async () => {
  const lab = new Lab()
  lab.machine.clock.setSynchronised(false)
  lab.machine.clock.setWall(0)
  await lab.start()
  await lab.live(20)
  expect(await lab.folders()).toEqual([])
  lab.machine.clock.setWall(lab.simulation.trueWallUs)
  lab.machine.clock.setSynchronised(true)
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-02'])
  const midnightUs = START_US + 16 * HOUR_MS * 1000
  const frames = await lab.range(0, midnightUs)
  expect(frames.length).toBe(32)
  expect(await lab.content('daily/2026-11-02/spin30.jsonl.zst')).toBe(lines(frames))
})

test('a Pi without any time seals under boot and position after 48 h, and never the same again by date', async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(10)
  lab.machine.cutPower()
  lab.machine.boot()
  lab.machine.clock.setSynchronised(false)
  lab.machine.clock.setWall(0)
  await lab.start()
  await lab.live(49)
  const { boot } = lab.machine.clock
  const folders = await lab.folders()
  expect(folders).toContain('daily/2026-11-02')
  // Where what was heard since belongs is not known: it is not said of the window.
  const { window, streams } = (await lab.sealed()).find(({ folder }) => folder === '2026-11-02')!.manifest
  const unknown = { kind: 'uncertain', cause: 'time unknown', toUs: window!.toUs }
  expect(streams.map(({ coverage }) => coverage.rest.at(-1))).toMatchObject([unknown])
  const undated = folders.find((folder) => folder.startsWith(`daily/boot-${boot}-`))!
  expect(undated).toBeDefined()
  const held = (await lab.content(`${undated}/spin30.jsonl.zst`)).trim().split('\n')
  expect(held.length).toBeGreaterThanOrEqual(96)
  lab.machine.clock.setWall(lab.simulation.trueWallUs)
  lab.machine.clock.setSynchronised(true)
  await lab.live(30)
  const seen = new Map<number, number>()
  for (const { capture, folder, manifest } of await lab.sealed()) {
    for (const { name } of manifest.files) {
      for (const line of (await lab.content(`${capture}/${folder}/${name}`)).trim().split('\n')) {
        const { seq } = JSON.parse(line) as { seq: number }
        seen.set(seq, (seen.get(seq) ?? 0) + 1)
      }
    }
  }
  expect([...seen.values()].every((times) => times === 1)).toBe(true)
})

test('what is imported into a sealed window makes a supplement with just that', async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(20)
  expect(await lab.folders()).toEqual(['daily/2026-11-02'])
  const stamp = { wallUs: START_US + HOUR_MS * 1000 + 1, monoUs: 0, boot: '', source: 'none' } as const
  lab.journal.append({ ...lab.message('spin31'), origin: 'import', stamp })
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-02', 'daily/2026-11-02-2'])
  const [first, second] = await lab.sealed()
  expect(second?.manifest).toMatchObject({
    supplement: 2,
    supplements: '2026-11-02',
    window: first?.manifest.window,
    files: [{ name: 'spin31.jsonl.zst' }]
  })
  await lab.live(3)
  expect((await lab.folders()).length).toBe(2)
})

test('a clock that is set back and forth makes every window once, and nothing is in two', async () => {
  const hourly = { ...daily, name: 'hourly', schedule: '0 * * * *', durationMs: HOUR_MS }
  const lab = new Lab([hourly])
  await lab.start()
  await lab.live(5, HOUR_MS / 4)
  lab.machine.clock.setWall(lab.simulation.trueWallUs - 3 * HOUR_MS * 1000)
  await lab.live(5, HOUR_MS / 4)
  lab.machine.clock.setWall(lab.simulation.trueWallUs + 3 * HOUR_MS * 1000)
  await lab.live(5, HOUR_MS / 4)
  lab.machine.clock.setWall(lab.simulation.trueWallUs)
  await lab.live(10, HOUR_MS / 4)
  const seqs: number[] = []
  for (const { capture, folder, manifest } of await lab.sealed()) {
    const { fromUs = 0, toUs = 0 } = manifest.window ?? {}
    for (const { name } of manifest.files) {
      for (const line of (await lab.content(`${capture}/${folder}/${name}`)).trim().split('\n')) {
        const { seq, time_us } = JSON.parse(line) as { seq: number; time_us: number }
        seqs.push(seq)
        expect(time_us >= fromUs && time_us < toUs).toBe(true)
      }
    }
  }
  expect(new Set(seqs).size).toBe(seqs.length)
  const ended = await lab.range(0, lab.machine.clock.wallUs() - HOUR_MS * 1000)
  expect(seqs.length).toBeGreaterThanOrEqual(ended.length)
})

test('what is confirmed may go when room is needed, and is not made again', async () => {
  const lab = new Lab()
  await lab.start()
  await lab.live(62)
  const [first, second] = await lab.sealed()
  const ledger = await lab.do(lab.captures.ledger())
  expect(await lab.do(ledger.confirmed('daily', first!.folder, 'f'.repeat(64)))).toBe(false)
  expect(await lab.do(ledger.confirmed('daily', second!.folder, second!.manifestSha256))).toBe(true)
  expect(await lab.do(ledger.confirmed('daily', first!.folder, first!.manifestSha256))).toBe(true)
  await lab.machine.world.files.remove(first!.path)
  await lab.do(ledger.removed('daily', first!.folder))
  await lab.stop()
  await lab.start()
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-03'])
  const [status] = await lab.do(lab.captures.status())
  expect(status?.sealed.map(({ confirmed, removed }) => [confirmed, removed])).toEqual([
    [true, true],
    [true, false]
  ])
})

test('what is sealed counts as known to be elsewhere only where the config says so', async () => {
  for (const sealedIsConfirmed of [false, true]) {
    const lab = new Lab()
    lab.sealedIsConfirmed = sealedIsConfirmed
    await lab.start()
    await lab.live(40)
    const [sealed] = await lab.sealed()
    expect(sealed!.manifest.journal.completeBelow).toBeGreaterThan(30)
    const catalogue = await readCatalogue(lab.machine.world.files, journalPaths(directory).catalogue)
    expect(catalogue?.confirmed).toBe(sealedIsConfirmed ? sealed!.manifest.journal.completeBelow : undefined)
  }
})

test('a window is made when it is asked for, if it has ended', async () => {
  const lab = new Lab([{ ...daily, name: 'weekly', schedule: '0 12 * * 1', durationMs: HOUR_MS, streams: ['spin3*'] }])
  await lab.start()
  await lab.live(4.5, HOUR_MS / 2, ['spin30', 'pend00'])
  const noon = START_US + 4 * HOUR_MS * 1000
  await expect(lab.do(lab.captures.run('weekly', noon))).rejects.toMatchObject({ code: 'UNDERSTUDY_CAPTURE_NOT_DUE' })
  await expect(lab.do(lab.captures.run('monthly'))).rejects.toMatchObject({ code: 'UNDERSTUDY_UNKNOWN_CAPTURE' })
  await lab.live(0.5)
  expect(await lab.do(lab.captures.run('weekly', noon))).toEqual(['2026-11-02T1200'])
  expect(await lab.do(lab.captures.run('weekly'))).toEqual(['2026-11-02T1200'])
  const [sealed] = await lab.sealed()
  expect(sealed?.manifest.files.map(({ name }) => name)).toEqual(['spin30.jsonl.zst'])
  const [status] = await lab.do(lab.captures.status())
  expect(status).toMatchObject({ capture: 'weekly', due: [], running: [], next: { label: '2026-11-09T1200' } })
})
