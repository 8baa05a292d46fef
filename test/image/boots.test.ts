import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import type { CaptureStatus } from '../../src/captures/capture-status.ts'
import type { Status } from '../../src/cli/local/status.ts'
import type { Report } from '../../src/health/report.ts'
import type { StreamCoverage } from '../../src/journal/reading.ts'
import { spinners } from '../../src/sim/students/generate.ts'
import { until } from '../sync/rig.ts'
import { type EmulatedPi, HOST, onFat, putOnFat } from './emulated-pi.ts'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'

/** Pis that were not told well, and what is brought to them later. */

const DAY_S = 86_400
const DAY_MS = DAY_S * 1000
/** Long before anything here was made: what the clock of a machine without one says. */
const NO_CLOCK = '2020-01-01T00:00:00'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/understudy-brought-`)
})

afterAll(() => rm(folder, { recursive: true }))

test('rubbish for a config, half a pair, a damaged file, no network: it boots, says so, and records the rest', async () => {
  const laboratory = await Laboratory.open(imageFile())
  const { pi } = laboratory
  onTestFailed(() => console.error(pi.console.slice(-6000), pi.onBoot('understudy-report.txt')))
  try {
    pi.put({ 'understudy.toml': Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at + 7 * at) & 0xff)) })
    pi.takeAway('log.token.spin31')
    await bringDamagedTar(pi, laboratory.credentials('spin32'))
    await pi.boot('virt', { unplugged: true })
    const alone = await pi.untilReported(/IP address: +none yet/)
    expect(alone).toContain('1 stream can be recorded.')
    expect(alone).toMatch(/understudy\.toml, line 1: .*\n +What to do/)
    expect(alone).toMatch(/log\.access\.spin31: .*\n +What to do/)
    expect(alone).toMatch(/lab\.tar: .*\n +What to do/i)

    await pi.cable(true)
    await laboratory.untilRecording(['spin30'])
    const told = await pi.untilReported(/IP address: +eth0 +10\.0\.2\.15/)
    const password = /^Password: (.*)$/m.exec(told)![1]
    expect(told).toMatch(/^Address: +http:\/\/10\.0\.2\.15\/$/m)
    await until(async () => {
      const { streams } = await reportOf(pi, password)
      return streams.some(({ stream, state, frames }) => stream === 'spin30' && state === 'active' && frames > 0)
    })
  } finally {
    await laboratory.close()
  }
})

test('a mistake in the config, and no time but the relay’s: it records, and seals the day; what is renewed leaves no gap', async () => {
  const tls = await certificateFor(HOST)
  const streams = spinners(12)
  const nobody = 'servers = ["192.0.2.1"]'
  const sections = '[network]\nca_file = "relay.pem"\n[sync]\nport = "twenty-two"\n'
  const laboratory = await Laboratory.open(imageFile(), {
    streams,
    expiresInS: 10 * DAY_S,
    clock: nobody,
    sections,
    periodMs: 1000,
    tls
  })
  const { pi, relay } = laboratory
  onTestFailed(() => console.error(pi.console.slice(-6000), pi.onBoot('understudy-report.txt')))
  try {
    pi.put({ 'relay.pem': tls.cert })
    await pi.boot('virt', { clock: NO_CLOCK })
    await laboratory.untilRecording()
    await pi.untilSsh()
    expect(await pi.untilReported(/10\.0\.2\.15/)).toMatch(
      /understudy\.toml, line \d+: .*\n +What to do: .*only what is right in it/
    )
    await until(async () => (await clockOf(pi)).source === 'relay')

    // On a stick, while it runs.
    const from = iso((await statusOf(pi)).nowUs)
    const stick = await stickWith('stick', [...streams, 'spin42'], laboratory)
    await pi.plugIn('stick', stick)
    await until(() => onFat(stick, 'understudy-report.txt').includes('13 streams can be recorded.'))
    await pi.told(
      'while systemctl is-active --quiet "understudy-stick@*"; do sleep 0.1; done; ! mountpoint -q /run/understudy-stick'
    )
    await pi.takeOut('stick')
    expect(namesOn(stick).filter((name) => name.startsWith('log.'))).toEqual([])
    await laboratory.untilRecording()
    await until(async () => (await heard(pi)).includes('spin42'))
    const during = await coverage(pi, from, iso((await statusOf(pi)).nowUs))
    expect(during.map(({ stream }) => stream)).toEqual([...streams, 'spin42'])
    for (const { stream, share, rest } of during) {
      if (stream === 'spin42') expect(share).toBeGreaterThan(0)
      else expect([stream, gapsIn(rest)]).toEqual([stream, []])
    }

    // On the card, over night.
    const day = iso((await statusOf(pi)).nowUs).slice(0, 10)
    await pi.cut()
    relay.trap({ dateOffsetMs: DAY_MS })
    for (const stream of [...streams, 'spin43']) pi.put(laboratory.credentials(stream, 500 * DAY_S))
    await pi.boot('virt', { clock: NO_CLOCK })
    await laboratory.untilRecording()
    await pi.untilSsh()
    await until(async () => (await heard(pi)).length === 14)
    const { startedUs, nowUs } = await statusOf(pi)
    for (const { stream, fromUs, rest } of await coverage(pi, iso(startedUs), iso(nowUs))) {
      // From the start until it was heard for the first time, whatever the causes.
      let heardUs = fromUs
      for (const part of rest) if (part.fromUs === heardUs) heardUs = part.toUs
      expect([stream, gapsIn(rest).filter((gap) => gap.fromUs > heardUs)]).toEqual([stream, []])
    }
    await until(async () => {
      const [daily] = JSON.parse(await pi.told('understudy captures --json')) as CaptureStatus[]
      const sealed = daily!.sealed.find((one) => one.folder === day)
      if (sealed) expect(sealed.timeSources).toEqual(['relay'])
      return sealed !== undefined
    })
  } finally {
    await laboratory.close()
  }
})

async function bringDamagedTar(pi: EmulatedPi, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    pi.takeAway(name)
    await writeFile(`${folder}/${name}`, content)
  }
  pi.put({ 'LAB.TAR': execFileSync('tar', ['-C', folder, '-c', ...Object.keys(files)]) })
  pi.damage('LAB     TAR')
}

/** A stick with new tokens for these streams. @returns its image */
async function stickWith(name: string, streams: readonly string[], laboratory: Laboratory): Promise<string> {
  const image = `${folder}/${name}.img`
  execFileSync('truncate', ['-s', '64M', image])
  execFileSync('mkfs.vfat', ['-n', 'UNDERSTUDY', image])
  for (const stream of streams) putOnFat(image, laboratory.credentials(stream))
  return image
}

function namesOn(fat: string): string[] {
  return execFileSync('mdir', ['-b', '-i', fat, '::'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => path.replace('::/', ''))
}

/** For an address, by itself, valid from long ago on. */
async function certificateFor(ip: string): Promise<{ key: string; cert: string }> {
  const made = await generate([{ name: 'commonName', value: ip }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 1000 * DAY_MS),
    notAfterDate: new Date(Date.now() + 1000 * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }]
  })
  return { key: made.private, cert: made.cert }
}

async function reportOf(pi: EmulatedPi, password?: string): Promise<Report> {
  return ((await (await pi.page('/api/status', password)).json()) as { report: Report }).report
}

/** Its exit code is the verdict. */
async function statusOf(pi: EmulatedPi): Promise<Status> {
  return JSON.parse((await pi.ssh('understudy status --json')).out)
}

async function clockOf(pi: EmulatedPi): Promise<Report['clock']> {
  return (await statusOf(pi)).health!.clock
}

async function heard(pi: EmulatedPi): Promise<string[]> {
  return (await statusOf(pi)).streams.flatMap(({ stream, heard }) => (heard ? [stream] : []))
}

async function coverage(pi: EmulatedPi, from: string, to: string): Promise<StreamCoverage[]> {
  return JSON.parse(await pi.told(`understudy coverage --json --from ${from} --to ${to}`))
}

/** An emulator that stands still for a while makes uncertain what was heard, but no gap. */
function gapsIn(rest: StreamCoverage['rest']): StreamCoverage['rest'] {
  return rest.filter(({ kind }) => kind === 'gap')
}

function iso(us: number): string {
  return new Date(us / 1000).toISOString()
}
