import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, stat } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from './fixtures.ts'
import { realHost } from './host.ts'

afterEach(() => {
  vi.doUnmock('koffi')
  vi.doUnmock('systeminformation')
  vi.doUnmock('node:os')
})

test("the kernel's numbers are in ppm and ms", async () => {
  const adjtimex = (timex: Buffer): number => {
    timex.writeBigInt64LE(-(12n << 16n), 16)
    timex.writeBigInt64LE(2500n, 24)
    timex.writeInt32LE(0x2001, 40)
    return 0
  }
  vi.doMock('koffi', () => ({ default: { load: () => ({ func: () => adjtimex }) } }))
  expect(await realHost().steering()).toEqual({ synchronised: true, driftPpm: -12, maxErrorMs: 2.5 })
})

test('where the kernel may not be asked, nothing is said', async () => {
  vi.doMock('koffi', () => ({ default: { load: () => ({ func: () => () => -1 }) } }))
  expect(await realHost().steering()).toBeUndefined()
})

test('systeminformation is asked, and its words are taken', async () => {
  const said = {
    system: async () => ({ manufacturer: 'Acme', model: 'One' }),
    cpuTemperature: async () => ({ main: 51 })
  }
  vi.doMock('systeminformation', () => ({ default: said }))
  expect(await realHost().inquire()).toEqual({ model: 'Acme One', temperatureC: 51 })
  said.system = async () => ({ manufacturer: '', model: '' })
  said.cpuTemperature = async () => ({ main: null as unknown as number })
  expect(await realHost().inquire()).toEqual({})
})

test('the library has what is asked of it', async () => {
  const { default: information } = await import('systeminformation')
  expect(await information.system()).toHaveProperty('model')
  expect(await information.cpuTemperature()).toHaveProperty('main')
})

test('what fails says nothing', async () => {
  vi.doMock('systeminformation', () => ({ default: { system: () => Promise.reject(new Error('no')) } }))
  expect(await realHost().inquire()).toEqual({})
})

test('addresses are those that others reach it by', async () => {
  const of = (address: string, internal = false): object => ({ address, internal })
  const networkInterfaces = () => ({
    lo: [of('127.0.0.1', true)],
    eth0: [of('192.0.2.7'), of('fe80::1'), of('2001:db8::7')],
    wlan0: undefined
  })
  vi.resetModules()
  vi.doMock('node:os', () => ({ networkInterfaces }))
  const { realHost: mocked } = await import('./host.ts')
  expect(await mocked().addresses()).toEqual([
    { interface: 'eth0', address: '192.0.2.7' },
    { interface: 'eth0', address: '2001:db8::7' }
  ])
})

/** Acts, in a process of its own, as whom a folder belongs to, and makes a file and a LevelDB store in it. */
async function actedIn(folder: string): Promise<string> {
  const script = `
    import { writeFile } from 'node:fs/promises'
    import { realHost } from '${new URL('./host.ts', import.meta.url)}'
    import { realStores } from '${new URL('./stores.ts', import.meta.url)}'
    const as = await realHost().actAsOwnerOf(process.argv[1])
    await writeFile(process.argv[1] + '/file', 'x')
    await (await realStores.open(process.argv[1] + '/store', { create: true })).close()
    process.stdout.write(String(as) + ' ' + process.getuid() + ' ' + process.getgid() + ' ' + process.getgroups())
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder])
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.pipe(process.stderr)
  expect((await once(child, 'close'))[0]).toBe(0)
  return out
}

const isRoot = process.getuid?.() === 0

test.runIf(isRoot)('root acts as whom a folder belongs to, and what it makes is theirs (as root)', async () => {
  const folder = await temporaryDirectory()
  await chown(folder, 12_345, 23_456)
  expect(await actedIn(folder)).toBe('12345 12345 23456 23456')
  for (const name of ['file', 'store', 'store/CURRENT', 'store/LOCK']) {
    expect(await stat(`${folder}/${name}`)).toMatchObject({ uid: 12_345, gid: 23_456 })
  }
})

test('in a folder of its own, and in one that is not there, a process stays who it is', async () => {
  const folder = await temporaryDirectory()
  expect(await actedIn(folder)).toMatch(new RegExp(`^undefined ${process.getuid?.()} `))
  expect(await realHost().actAsOwnerOf(`${folder}/none`)).toBeUndefined()
})
