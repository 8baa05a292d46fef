import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import type { StreamCoverage } from '../../src/journal/reading.ts'
import { repeats } from '../support/scale.ts'
import { Primary, until } from '../sync/rig.ts'
import type { EmulatedPi } from './emulated-pi.ts'
import { HOST } from './emulated-pi.ts'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'

const SITE = 'emulated'

let laboratory: Laboratory
let primary: Primary
let pi: EmulatedPi

beforeAll(async () => {
  primary = await Primary.start()
  const sections = `[sync]\ntarget = "root@${HOST}:${primary.directory}"\nport = ${primary.port}`
  laboratory = await Laboratory.open(imageFile(), { sections })
  pi = laboratory.pi
})

afterAll(async () => {
  await laboratory?.close()
  await primary?.remove()
})

test('from the first power-on to the first confirmed sync', async () => {
  onTestFailed(() => console.error(pi.console.slice(-6000)))
  await pi.boot('virt')
  await laboratory.untilRecording()
  await pi.untilSsh()

  // In the Pi's own time, which an emulator draws out.
  const multiUser = 'systemctl show --timestamp=unix --value -p ActiveEnterTimestamp multi-user.target'
  await until(async () => (await pi.told(multiUser)).startsWith('@'))
  const reachedS = Number((await pi.told(multiUser)).slice(1))
  const covered = JSON.parse(await pi.told('understudy coverage --json')) as StreamCoverage[]
  expect(covered.map(({ stream }) => stream)).toEqual(laboratory.streams)
  for (const { stream, fromUs, rest } of covered) {
    const heardUs = rest[0]?.fromUs === fromUs ? rest[0].toUs : fromUs
    console.log(`${stream} is heard ${(heardUs / 1e6 - reachedS).toFixed(1)} s after multi-user`)
    expect(heardUs / 1e6 - reachedS).toBeLessThan(20)
  }

  // The page is there for everybody, and shows nothing without the password.
  expect((await pi.page('/api/status')).status).toBe(401)
  const password = (await pi.told('cat /var/lib/understudy/status-password')).trim()
  expect(await (await pi.page('/api/status', password)).json()).toMatchObject({ report: { site: SITE } })

  const setup = await pi.told('runuser -u understudy -- understudy sync --setup --json')
  await primary.install(SITE, (JSON.parse(setup) as { authorizedKeys: string[] }).authorizedKeys)
  primary.watch(SITE)
  const day = (await pi.told('date -u +%F')).trim()
  await pi.told('date -u -s "tomorrow 00:00:05"')
  const captured = await pi.told(`understudy captures run daily --at ${day}T12:00:00Z --json`)
  expect(JSON.parse(captured)).toEqual([day])
  await until(
    async () => (JSON.parse((await pi.ssh('understudy sync --json')).out) as { confirmed: [] }).confirmed.length > 0
  )
})

test('the plug is pulled in mid-write, again and again: it records again by itself, and nothing is lost', async () => {
  onTestFailed(() => console.error(pi.console.slice(-6000)))
  let promised = 0
  for (let cut = repeats(15); cut > 0; cut--) {
    const watching = pi.sshChild(laboratory.watcher)
    const seen = new Set<number>()
    watching.stdout!.on('data', (text: string) => {
      for (const line of text.split('\n')) if (/^\d+$/.test(line)) seen.add(Number(line))
    })
    await until(() => seen.size > 5)
    const before = (await laboratory.beginnings()).length
    await pi.cut()
    watching.kill()
    promised = Math.max(promised, ...seen)

    await pi.boot('virt')
    await laboratory.untilRecording()
    await pi.untilSsh()
    // What comes now stands behind all that was promised; and `verify`, below, that nothing is missing before it.
    await until(async () => (await laboratory.beginnings()).length > before)
    const goesOn = (await laboratory.beginnings()).at(-1)
    console.log(`cut ${before}: promised below ${promised}, goes on at ${goesOn}`)
    expect(goesOn).toBeGreaterThanOrEqual(promised)
  }
  const verified = JSON.parse(await pi.told('understudy verify --json')) as { problems: unknown[] }
  expect(verified.problems).toEqual([])
})
