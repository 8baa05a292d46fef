import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Status } from '../../src/cli/local/status.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { world } from '../relay/rig/relays.ts'
import { until } from '../sync/rig.ts'
import { Machine } from './machine.ts'

/*
 * The units and scripts of the Pi's image, in a machine whose disks are folders. The tests are one life of it, in this order.
 */

const project = new URL('../..', import.meta.url).pathname
const BOOT = '/boot/firmware'
const REPORT = `${BOOT}/understudy-report.txt`
const DATA = '/var/lib/understudy'
const DISK = '/media/understudy'
/** What is mounted as the data partition: nothing can be, while it is a file. */
const PARTITION = '/data-partition'
const CONFIG = `${DATA}/provision/understudy.toml`

const relay = new SimulatedRelay(world, { secret: 'a secret of the suite' })
let machine: Machine

beforeAll(async () => {
  await relay.start()
  machine = await Machine.boot(`${inject('bundle')}:/bundle`)
  const { root } = machine
  for (const folder of ['etc/systemd/system', 'usr/local/lib/understudy', 'usr/share/understudy']) {
    await cp(`${project}/pi-image/files/${folder}`, `${root}/${folder}`, { recursive: true })
  }
  await cp(`${project}/systemd/understudy.service`, `${root}/etc/systemd/system/understudy.service`)
  await cp(`${project}/systemd/sysusers.d/understudy.conf`, `${root}/usr/lib/sysusers.d/understudy.conf`)
  await symlink('/bundle', `${root}/opt/understudy`)
  await rm(`${root}/usr/local/bin/understudy`, { force: true })
  await symlink('/opt/understudy/bin/understudy', `${root}/usr/local/bin/understudy`)
  for (const folder of [BOOT, DATA, DISK]) await mkdir(root + folder, { recursive: true })
  await writeFile(root + PARTITION, '')
  await mountUnit('boot-firmware.mount', BOOT, 'tmpfs', 'Type=tmpfs\nOptions=ro')
  await mountUnit('var-lib-understudy.mount', DATA, PARTITION, 'Options=bind')
  await mountUnit('media-understudy.mount', DISK, 'tmpfs', 'Type=tmpfs')
  await dropIn('understudy-no-data.service', 'ExecStart=\nExecStart=/usr/local/lib/understudy/no-data 1')
  await machine.tell('systemd-sysusers')
  await machine.tell('systemctl', 'daemon-reload')
  await machine.tell('systemctl', 'start', 'boot-firmware.mount')
})

afterAll(async () => {
  await machine?.remove()
  await relay.stop()
})

function mountUnit(name: string, where: string, what: string, how: string): Promise<void> {
  const text = `[Mount]\nWhat=${what}\nWhere=${where}\n${how}\n`
  return writeFile(`${machine.root}/etc/systemd/system/${name}`, text)
}

async function dropIn(unit: string, lines: string): Promise<void> {
  const folder = `${machine.root}/etc/systemd/system/${unit}.d`
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/test.conf`, `[Service]\n${lines}\n`)
}

const sh = (script: string): Promise<string> => machine.tell('sh', '-c', script)
const state = (unit: string): Promise<string> => machine.property(unit, 'ActiveState')
const mountOptions = (where: string): Promise<string> => machine.tell('findmnt', '-no', 'OPTIONS', where)
/** What is in a file; empty while there is none. */
const text = async (path: string): Promise<string> => (await machine.run('cat', path)).out

/** As on a laptop. */
async function onCard(...files: ReadonlyArray<{ readonly name: string; readonly content: string }>): Promise<void> {
  await machine.tell('mount', '-o', 'remount,rw', BOOT)
  for (const { name, content } of files) {
    await writeFile(`${machine.root}/root/${name}`, content)
    await machine.tell('cp', `/root/${name}`, `${BOOT}/${name}`)
  }
  await machine.tell('mount', '-o', 'remount,ro', BOOT)
}

async function says(fact: (status: Status) => boolean): Promise<boolean> {
  const { out } = await machine.run('env', `UNDERSTUDY_CONFIG=${CONFIG}`, 'understudy', 'status', '--json')
  return out !== '' && fact(JSON.parse(out) as Status)
}

const heard = (stream: string): Promise<boolean> =>
  says(({ streams }) => streams.some((one) => one.stream === stream && one.heard))

test('systemd has no fault to find with the units', async () => {
  const units = await sh("cd /etc/systemd/system && ls understudy-*.service | sed 's/@/@sda1/'")
  expect(units.split('\n').length).toBeGreaterThan(7)
  expect(await machine.run('systemd-analyze', 'verify', ...units.split('\n'))).toEqual({ code: 0, out: '', err: '' })
})

test('what is brought is waited for so long, and no longer', async () => {
  for (const unit of ['provision', 'apply', 'report', 'stick@sda1']) {
    expect(await machine.property(`understudy-${unit}.service`, 'TimeoutStartUSec'), unit).toMatch(/^\dmin$/)
  }
})

test('a data partition that cannot be mounted is told of on the card, and nothing is taken off it', async () => {
  const { accessFile, tokenFile } = credentialsOf(world, relay, 'spin30')
  const config = '[host]\nname = "north"\n[status]\nport = 0\n'
  await onCard(accessFile, tokenFile, { name: 'understudy.toml', content: config })
  const units = ['understudy-provision.service', 'understudy.service', 'understudy-no-data.service']
  await machine.run('systemctl', 'start', ...units)
  await until(async () => (await text(REPORT)) !== '')
  const report = await text(REPORT)
  expect(report).toMatch(/^[\x20-\x7e\r\n]*$/)
  expect(report.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  expect(report).toContain('NOTHING IS RECORDED. The data partition of this card cannot be used.\r\n')
  expect(report).toContain('Not a directory')
  await until(async () => (await mountOptions(BOOT)).startsWith('ro'))
  expect(await state('understudy.service')).toBe('inactive')
  const { code, err } = await machine.run('/usr/local/lib/understudy/provision', BOOT)
  expect([code, err]).toEqual([1, `${DATA} is not mounted: nothing is taken in\n`])
  expect(await sh(`ls ${BOOT}`)).toContain('log.token.spin30')
  expect(await sh(`ls -A ${DATA}`)).toBe('')
})

test('it is tried again until it can be mounted: then it records by itself', async () => {
  await machine.tell('rm', PARTITION)
  await machine.tell('mkdir', PARTITION)
  await until(() => heard('spin30'))
  await until(async () => (await state('understudy-no-data.service')) === 'inactive')
  expect(await text(REPORT)).toContain('1 stream can be recorded.')
  expect(await sh(`ls ${BOOT}`)).not.toContain('log.token.spin30')
  expect(await mountOptions(BOOT)).toMatch(/^ro/)
  expect(await machine.tell('hostname')).toBe('north')
})

test('the recorder is kept off what says who may log in', async () => {
  const pid = await machine.property('understudy.service', 'MainPID')
  await machine.tell('touch', `${DATA}/system/a-key`)
  const inside = (script: string) => machine.run('nsenter', '-t', pid, '-m', 'sh', '-c', script)
  expect((await inside(`ls -A ${DATA}/system`)).out).toBe('')
  expect((await inside(`mv ${DATA}/system ${DATA}/other`)).code).not.toBe(0)
  expect((await inside(`touch ${DATA}/provision/authorized_keys`)).err).toContain('Read-only file system')
})

test('a data disk is taken into use, and the identity on it is root’s alone', async () => {
  await machine.tell('systemctl', 'start', 'understudy-disk.service')
  await until(async () => /^understudy-[0-9a-f]{16}$/m.test(await sh(`ls ${DISK}`)))
  await until(() => heard('spin30'))
  expect(await machine.tell('stat', '-c', '%U:%G %a', DISK)).toBe('root:understudy 1770')
  expect(await sh(`cat ${DISK}/identity/sync/id_ed25519`)).toBe(await sh(`cat ${DATA}/sync/id_ed25519`))
  for (const attempt of [`ls ${DISK}/identity`, `mv ${DISK}/identity ${DISK}/other`, `rm -r ${DISK}/identity`]) {
    expect((await machine.run('runuser', '-u', 'understudy', '--', 'sh', '-c', attempt)).code, attempt).not.toBe(0)
  }
})

test('what is brought while it runs is recorded without another start, also when two things come at once', async () => {
  const { accessFile, tokenFile } = credentialsOf(world, relay, 'spin42')
  await onCard(accessFile, tokenFile)
  const pid = await machine.property('understudy.service', 'MainPID')
  const takeIn = ['/usr/local/lib/understudy/provision', BOOT] as const
  await Promise.all([machine.tell(...takeIn), machine.tell(...takeIn)])
  await until(() => heard('spin42'))
  expect(await machine.property('understudy.service', 'MainPID')).toBe(pid)
})

test('a new card goes on with the journal on the data disk', async () => {
  const folders = async (): Promise<string[]> => (await sh(`ls ${DISK}`)).match(/^understudy-[0-9a-f]{16}$/gm) ?? []
  const [before] = await folders()
  await machine.tell('systemctl', 'restart', 'understudy.service')
  await until(() => heard('spin30'))
  await machine.tell('systemctl', 'stop', 'understudy.service')
  await sh(`cd ${DATA} && rm -r catalogue head stores readers`)
  await machine.tell('systemctl', 'start', 'understudy.service')
  await until(() => heard('spin30'))
  // Far above all that the former card can have used.
  expect(await says(({ journal }) => journal.nextPosition > 1e10 && journal.disk.used)).toBe(true)
  expect(await folders()).toHaveLength(1)
  expect(await folders()).not.toContain(before)
})

test('what hangs while it is taken in does not keep it from recording, nor from its network', async () => {
  await machine.tell(
    'systemctl',
    'stop',
    'understudy.service',
    'understudy-provision.service',
    'understudy-apply.service'
  )
  await dropIn('understudy-provision.service', 'ExecStartPre=\nExecStartPre=sleep infinity\nTimeoutStartSec=2s')
  await machine.tell('systemctl', 'daemon-reload')
  await machine.tell('systemctl', 'start', 'understudy.service')
  expect(await machine.property('understudy-provision.service', 'Result')).toBe('timeout')
  await until(async () => (await state('understudy-apply.service')) === 'active')
  await until(() => heard('spin30'))
})
