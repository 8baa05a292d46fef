import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Status } from '../../src/cli/local/status.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { KernelClock } from '../health/kernel-clock.ts'
import { world } from '../relay/rig/relays.ts'
import { Speaker } from '../relay/rig/speaker.ts'
import { Primary, until } from '../sync/rig.ts'
import { Machine } from './machine.ts'
import { enabled, found, olderSetup } from './older.ts'

/*
 * The service under exactly the unit that is shipped, installed by install.sh into a machine that runs. The tests are one
 * life of it, in this order.
 */

const UNIT = 'understudy.service'
const DISK = '/media/understudy'

const relay = new SimulatedRelay(world, { secret: 'a secret of the suite' })
let machine: Machine
let primary: Primary
let clock: KernelClock

beforeAll(async () => {
  await relay.start()
  clock = await KernelClock.take()
  primary = await Primary.start()
  machine = await Machine.boot(`${inject('bundle')}:/bundle`)
  await olderSetup(machine.root)
  for (const name of ['session-relay', 'session-rules']) {
    await writeFile(`${machine.root}/usr/local/bin/${name}`, '#!/bin/sh\n[ "$1" != host ] || exec sleep infinity\n')
    await chmod(`${machine.root}/usr/local/bin/${name}`, 0o755)
  }
  await machine.tell('systemctl', 'daemon-reload')
  await machine.tell('systemctl', 'enable', ...enabled)
  await machine.tell('systemctl', 'start', 'session.service')
  const toml = [
    'site = "north"',
    'time_zone = "Etc/UTC"',
    '[status]\nport = 0',
    `[data]\ndisk = "${DISK}"`,
    `[sync]\ntarget = "${userInfo().username}@127.0.0.1:${primary.directory}"\nport = ${primary.port}\n`
  ]
  await mkdir(`${machine.root}/etc/understudy`)
  await writeFile(`${machine.root}/etc/understudy/understudy.toml`, toml.join('\n'))
})

afterAll(async () => {
  await machine?.remove()
  await primary?.remove()
  await clock?.giveBack()
  await relay.stop()
})

const isActive = async (unit: string): Promise<boolean> => (await machine.property(unit, 'ActiveState')) === 'active'

/** Whether the recorder says this of itself; while it starts it says nothing. */
async function says(fact: (status: Status) => boolean): Promise<boolean> {
  // The exit code is the verdict's.
  const { out } = await machine.run('understudy', 'status', '--json')
  return out !== '' && fact(JSON.parse(out) as Status)
}

async function untilHeard(stream: string): Promise<void> {
  await until(() => says(({ streams }) => streams.some((one) => one.stream === stream && one.heard)))
}

/** Changes the unit for what would take too long otherwise. */
async function dropIn(...lines: string[]): Promise<void> {
  await mkdir(`${machine.root}/etc/systemd/system/${UNIT}.d`, { recursive: true })
  await writeFile(`${machine.root}/etc/systemd/system/${UNIT}.d/quick.conf`, `[Service]\n${lines.join('\n')}\n`)
  await machine.tell('systemctl', 'daemon-reload')
  await machine.tell('systemctl', 'restart', UNIT)
}

/** Nothing as long as nothing of the stream is on the disk. */
async function raw(stream: string): Promise<string> {
  await machine.tell('rm', '-rf', '/root/export')
  await machine.tell('understudy', 'export', '--raw', '--out', '/root/export')
  return (await machine.run('cat', `/root/export/${stream}.jsonl`)).out.trim()
}

test('install.sh starts it, and lists what is there of an older set-up; with --replace that is stopped', async () => {
  const script = '/bundle/scripts/install.sh'
  for (const mistake of [['--root'], ['--from', '/nowhere'], ['--what']]) {
    expect((await machine.run(script, ...mistake)).code).toBe(2)
  }
  expect(await machine.property(UNIT, 'LoadState')).toBe('not-found')
  const listed = await machine.tell(script)
  for (const unit of found) expect(listed).toContain(`  ${unit}\n`.trimEnd())
  expect(await isActive('session.service')).toBe(true)
  expect(await isActive(UNIT)).toBe(true)
  await machine.tell(script, '--replace')
  expect(await isActive('session.service')).toBe(false)
  expect(await isActive(UNIT)).toBe(true)
  expect(await machine.tell('understudy', '--version')).toMatch(/^\d+\.\d+\.\d+$/)
})

test('systemd has no fault to find with the unit, and what it promises is in force', async () => {
  expect(await machine.run('systemd-analyze', 'verify', UNIT)).toEqual({ code: 0, out: '', err: '' })
  const pid = await machine.property(UNIT, 'MainPID')
  const process = await machine.tell('cat', `/proc/${pid}/status`)
  expect(process).toMatch(/^NoNewPrivs:\s1$/m)
  expect(process).toMatch(/^Seccomp:\s2$/m)
  expect(process).toMatch(/^CapBnd:\s0{16}$/m)
  const mounts = await machine.tell('cat', `/proc/${pid}/mounts`)
  const isWritable = (path: string): boolean =>
    mounts.split('\n').some((line) => line.includes(` ${path} `) && /\srw,/.test(line))
  expect(['/', '/usr', '/opt/understudy', '/home', '/var/lib/understudy'].filter(isWritable)).toEqual([
    '/var/lib/understudy'
  ])
  expect(await machine.tell('stat', '-c', '%U:%G %a', '/var/lib/understudy')).toBe('understudy:understudy 750')
})

test('credentials that are put there are found, and what is said is recorded', async () => {
  const { accessFile, tokenFile } = credentialsOf(world, relay, 'spin30')
  for (const { name, content } of [accessFile, tokenFile]) {
    await writeFile(`${machine.root}/etc/practable/${name}`, content)
  }
  await untilHeard('spin30')
  const speaker = await Speaker.join(relay, 'spin30')
  const said = Array.from({ length: 200 }, (_, n) => `{"user":"a made-up user","n":${n}}`)
  await speaker.say(said)
  await until(async () => (await raw('spin30')).split('\n').length === said.length)
  expect(await raw('spin30')).toBe(said.join('\n'))
})

test('whether the clock is synchronised is known behind the walls too', async () => {
  const isSynchronised = (is: boolean): Promise<boolean> => says(({ health }) => health?.clock.synchronised === is)
  await clock.synchronised(true)
  await until(() => isSynchronised(true))
  await clock.synchronised(false)
  await until(() => isSynchronised(false))
  await clock.synchronised(true)
  await until(() => isSynchronised(true))
})

test('yesterday is sealed, and handed over by rsync and ssh', async () => {
  const yesterdayMs = Date.now() - 86_400_000
  const lines = Array.from({ length: 500 }, (_, n) => `{"user":"a made-up user","t":${yesterdayMs},"n":${n}}`)
  await writeFile(`${machine.root}/root/spin30.jsonl`, `${lines.join('\n')}\n`)
  await machine.tell('understudy', 'import', '--raw', '/root/spin30.jsonl')
  await machine.tell('understudy', 'captures', 'run', 'daily')
  const setup = await machine.tell('runuser', '-u', 'understudy', '--', 'understudy', 'sync', '--setup', '--json')
  await primary.install('north', (JSON.parse(setup) as { authorizedKeys: string[] }).authorizedKeys)
  primary.watch('north')
  const day = new Date(yesterdayMs).toISOString().slice(0, 10)
  await until(async () => {
    const { out } = await machine.run('understudy', 'sync', '--json')
    return out !== '' && JSON.parse(out).waiting.length === 0
  })
  expect(await readdir(`${primary.directory}/north/daily/${day}`)).toContain('spin30.jsonl.zst')
  const [daily] = JSON.parse(await machine.tell('understudy', 'captures', '--json'))
  expect(JSON.stringify(daily)).toContain(day)
})

test('a data disk that is mounted while it runs can be written to', async () => {
  await machine.tell('mkdir', '-p', DISK)
  await machine.tell('mount', '-t', 'tmpfs', '-o', 'uid=understudy,size=50M', 'tmpfs', DISK)
  expect(await machine.tell('understudy', 'disk')).toContain(`writing to ${DISK}`)
  expect(await machine.tell('ls', DISK)).toMatch(/^understudy-/)
})

test('a recorder that hangs is ended by the watchdog, and started again', async () => {
  expect(await machine.property(UNIT, 'WatchdogUSec')).toBe('5min')
  await dropIn('WatchdogSec=2s', 'RestartSec=100ms')
  await untilHeard('spin30')
  await machine.tell('systemctl', 'kill', '--kill-whom=main', '--signal=STOP', UNIT)
  await until(async () => (await machine.property(UNIT, 'NRestarts')) === '1')
  await untilHeard('spin30')
  expect(await machine.tell('journalctl', '--unit', UNIT, '--output', 'cat')).toContain('Watchdog timeout')
})

test('it is started again however often it fails', async () => {
  await dropIn('RestartSec=100ms')
  for (let times = 1; times <= 12; times++) {
    await machine.tell('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', UNIT)
    await until(async () => (await machine.property(UNIT, 'NRestarts')) === String(times))
    await until(() => isActive(UNIT))
  }
  await untilHeard('spin30')
  expect((await raw('spin30')).split('\n').length).toBe(700)
})

test('uninstall.sh takes it away, and what was there before runs again', async () => {
  await machine.tell('/opt/understudy/scripts/uninstall.sh', '--purge')
  expect(await isActive('session.service')).toBe(true)
  for (const unit of enabled) expect(await machine.tell('systemctl', 'is-enabled', unit), unit).toBe('enabled')
  expect(await machine.property(UNIT, 'LoadState')).toBe('not-found')
  expect((await machine.run('id', 'understudy')).code).not.toBe(0)
})
