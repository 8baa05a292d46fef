import { beforeEach, expect, test } from 'vitest'
import { Running } from '../../test/support/shell.ts'
import { loadCommands } from '../cli/program.ts'
import type { Disk } from '../sim/world/disk.ts'
import { BOOT, DATA, FreshPi, LINE, TO } from './fixtures.ts'

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
