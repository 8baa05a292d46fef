import { beforeEach, expect, test } from 'vitest'
import { Running } from '../../test/support/shell.ts'
import { loadCommands } from '../cli/program.ts'
import type { Disk } from '../sim/world/disk.ts'
import { BOOT, DATA, DAY_S, FreshPi, LINE, TO } from './fixtures.ts'

await loadCommands()

const MOUNT = '/media/understudy'
const IDENTITY = `${MOUNT}/identity`
const line = `${LINE} --identity ${IDENTITY}`

let pi: FreshPi
let usb: Disk

beforeEach(async () => {
  pi = new FreshPi()
  usb = pi.machine.mount(MOUNT)
  await pi.bring('spin30')
  await pi.put(`${BOOT}/understudy.toml`, 'site = "north"\n')
  await pi.put(`${DATA}/system/ssh/ssh_host_ed25519_key`, 'the host key')
  expect(await pi.sh(line)).toMatchObject({ code: 0 })
})

async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Promise.resolve().then(() => false)])
}

/** What makes the machine the one it is. */
async function self(): Promise<string[]> {
  const paths = [
    `${DATA}/sync/id_ed25519`,
    `${DATA}/sync/id_ed25519-receipts`,
    `${DATA}/status-password`,
    `${DATA}/system/ssh/ssh_host_ed25519_key`,
    `${TO}/credentials/log.token.spin30`,
    `${TO}/understudy.toml`
  ]
  const contents: string[] = []
  for (const path of paths) contents.push(await pi.read(path))
  return contents
}

test('a card that was written anew goes on as the one before', async () => {
  const before = await self()
  await pi.simulation.complete(pi.files.remove(DATA))
  await pi.put(`${BOOT}/understudy.toml`, '# as the image has it\n')
  expect(await pi.sh(line)).toMatchObject({ code: 0, out: expect.stringContaining('1 stream can be recorded') })
  expect(await self()).toEqual(before)
  expect(await pi.report()).toContain(`${IDENTITY}: the identity of the machine before`)
})

test('a cut while it is taken, at any moment, and it is taken at the next start', async () => {
  const before = await self()
  pi.machine.disk.pace = { changeUs: [900, 1100], syncUs: [1900, 2100] }
  await pi.put(`${BOOT}/understudy.toml`, '# as the image has it\n')
  let cuts = 0
  for (let cutMs = 1; cutMs < 120; cutMs += 2) {
    await pi.simulation.complete(pi.files.remove(DATA))
    await pi.simulation.complete(pi.files.syncDirectory('/var/lib'))
    const running = new Running(pi.machine, line)
    await pi.simulation.run(cutMs)
    cuts += Number(!(await settled(running.result)))
    pi.machine.boot()
    expect(await pi.sh(line)).toMatchObject({ code: 0 })
    expect(await self()).toEqual(before)
  }
  expect(cuts).toBeGreaterThan(20)
})

test('the copy follows what changes here, and what goes', async () => {
  await pi.bring('spin31')
  await pi.sh(line)
  expect(await pi.names(`${IDENTITY}/provision/credentials`)).toHaveLength(4)
  for (const kind of ['access', 'token']) {
    await pi.simulation.complete(pi.files.remove(`${TO}/credentials/log.${kind}.spin31`))
  }
  await pi.sh(line)
  expect(await pi.names(`${IDENTITY}/provision/credentials`)).toEqual(['log.access.spin30', 'log.token.spin30'])
})

test('the identity of another machine is moved aside', async () => {
  const others = await pi.read(`${IDENTITY}/sync/id_ed25519`)
  await pi.put(`${DATA}/sync/id_ed25519`, 'KEY9 of this one')
  expect(await pi.sh(line)).toMatchObject({ code: 0 })
  expect(await pi.read(`${MOUNT}/identity-former-1/sync/id_ed25519`)).toBe(others)
  expect(await pi.read(`${IDENTITY}/sync/id_ed25519`)).toBe('KEY9 of this one')
})

/** A card that was written anew starts while the disk is not there yet: it makes an identity of its own. */
async function startWithoutDisk(): Promise<void> {
  pi.machine.detach(MOUNT)
  await pi.simulation.complete(pi.files.remove(DATA))
  await pi.put(`${BOOT}/understudy.toml`, '# as the image has it\n')
  await pi.sh(line)
}

test('a disk that comes late is the one that counts, also after another start', async () => {
  const before = await self()
  await startWithoutDisk()
  expect(await pi.read(`${DATA}/sync/id_ed25519`)).not.toBe(before[0])
  pi.machine.boot()
  await pi.sh(line)
  pi.machine.attach(MOUNT, usb)
  expect(await pi.sh(line)).toMatchObject({ code: 0, out: expect.stringContaining('1 stream can be recorded') })
  expect(await self()).toEqual(before)
  expect(await pi.names(MOUNT)).toEqual(['identity'])
  expect(await pi.report()).toContain(`${IDENTITY}: the identity of the machine before`)
  expect((await pi.sh(line)).out).toBe('1 stream can be recorded\n')
})

test('of what was brought meanwhile nothing is lost: tokens that last longer stay, and so does the config of the card', async () => {
  await startWithoutDisk()
  const longer = await pi.bring('spin30', { expiresInS: 700 * DAY_S })
  const other = await pi.bring('spin31')
  await pi.put(`${BOOT}/understudy.toml`, 'site = "south"\n')
  await pi.sh(line)
  pi.machine.attach(MOUNT, usb)
  expect(await pi.sh(line)).toMatchObject({ code: 0, out: expect.stringContaining('2 streams can be recorded') })
  for (const folder of [TO, `${IDENTITY}/provision`]) {
    expect(await pi.read(`${folder}/credentials/log.token.spin30`)).toBe(`${longer}\n`)
    expect(await pi.read(`${folder}/credentials/log.token.spin31`)).toBe(`${other}\n`)
  }
  expect(await pi.read(`${TO}/understudy.toml`)).toContain('site = "south"')
})

test('a token on the disk that lasts longer than the one that was brought meanwhile is used', async () => {
  const before = await self()
  await startWithoutDisk()
  await pi.bring('spin30', { expiresInS: 30 * DAY_S })
  await pi.sh(line)
  pi.machine.attach(MOUNT, usb)
  await pi.sh(line)
  expect(await self()).toEqual(before)
})

test('a cut while a new identity gives way, at any moment, and it has given way at the next start', async () => {
  const before = await self()
  pi.machine.disk.pace = { changeUs: [900, 1100], syncUs: [1900, 2100] }
  let cuts = 0
  for (let cutMs = 1; cutMs < 160; cutMs += 3) {
    await startWithoutDisk()
    const token = await pi.bring('spin31', { expiresInS: (200 + cutMs) * DAY_S })
    await pi.sh(line)
    pi.machine.attach(MOUNT, usb)
    const running = new Running(pi.machine, line)
    await pi.simulation.run(cutMs)
    cuts += Number(!(await settled(running.result)))
    pi.machine.boot()
    expect(await pi.sh(line)).toMatchObject({ code: 0 })
    expect(await self()).toEqual(before)
    expect(await pi.read(`${TO}/credentials/log.token.spin31`)).toBe(`${token}\n`)
    expect(await pi.names(MOUNT)).toEqual(['identity'])
  }
  expect(cuts).toBeGreaterThan(20)
})

test('an identity under which something is sealed does not give way: the other one is put aside, and told of', async () => {
  const others = await pi.read(`${IDENTITY}/sync/id_ed25519`)
  await startWithoutDisk()
  await pi.bring('spin32')
  await pi.sh(line)
  const own = await pi.read(`${DATA}/sync/id_ed25519`)
  await pi.put('/spin32.jsonl', `{"t":${pi.nowMs - DAY_S * 1000}}\n`)
  for (const command of ['import --raw /spin32.jsonl', 'captures run daily']) {
    expect(await pi.sh(`${command} --config ${TO}/understudy.toml`)).toMatchObject({ code: 0 })
  }
  pi.machine.attach(MOUNT, usb)
  expect(await pi.sh(line)).toMatchObject({ code: 0 })
  expect(await pi.read(`${MOUNT}/identity-former-1/sync/id_ed25519`)).toBe(others)
  expect(await pi.read(`${IDENTITY}/sync/id_ed25519`)).toBe(own)
  expect(await pi.report()).toContain("it is another machine's, and was put aside there as identity-former-1")
})

test('an identity that could not be taken from the disk is left there, and taken later', async () => {
  const before = await self()
  await pi.simulation.complete(pi.files.remove(DATA))
  await pi.put(`${BOOT}/understudy.toml`, '# as the image has it\n')
  usb.unreadable = true
  await pi.sh(line)
  usb.unreadable = false
  expect(await pi.sh(line)).toMatchObject({ code: 0 })
  expect(await self()).toEqual(before)
  expect(await pi.names(MOUNT)).toEqual(['identity'])
})

test.each([
  ['one key', ['id_ed25519']],
  ['both keys', ['id_ed25519', 'id_ed25519-receipts']]
])('%s lost on a card that is damaged: taken from the copy, not made anew', async (_, lost) => {
  const before = await self()
  for (const name of lost) await pi.simulation.complete(pi.files.remove(`${DATA}/sync/${name}`))
  await pi.sh(line)
  expect(await self()).toEqual(before)
  expect(await pi.names(MOUNT)).toEqual(['identity'])
})

test('a disk that is full, fails or is away stops nothing', async () => {
  usb.capacityBytes = 0
  await pi.bring('spin31')
  expect(await pi.sh(line)).toMatchObject({ code: 0, out: expect.stringContaining('UNDERSTUDY_PROVISION_IDENTITY') })
  usb.unreadable = true
  expect(await pi.sh(line)).toMatchObject({ code: 0 })
  pi.machine.detach(MOUNT)
  const { code, out } = await pi.sh(line)
  expect([code, out]).toEqual([0, '2 streams can be recorded\n'])
  expect(await pi.names(MOUNT)).toEqual([])
})
