import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Machine } from '../../sim/world/machine.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import type { MachineReport } from '../report.ts'
import type { DiskPlace } from './disk.ts'
import { Kernel } from './kernel.ts'
import { MachineSensor } from './machine.ts'
import { clockReport, readTimeService } from './steering.ts'

const HOUR_MS = 3_600_000
const place: DiskPlace = { use: 'data folder', path: '/data', minFreeBytes: 500e6, enduranceBytes: 30e12 }

/** What the kernel of a Raspberry Pi shows, by its documentation. */
const pi: Readonly<Record<string, string>> = {
  '/proc/uptime': '7200.00 28000.00\n',
  '/proc/meminfo': 'MemTotal:         948304 kB\nMemFree:          100000 kB\nMemAvailable:     512000 kB\n',
  '/proc/self/status': 'Name:\tnode\nVmPeak:\t  900000 kB\nVmRSS:\t   81920 kB\n',
  '/proc/loadavg': '0.20 0.18 0.12 1/80 11206\n',
  '/sys/devices/system/cpu/online': '0-2,3\n',
  '/sys/class/thermal/thermal_zone0/temp': '48312\n',
  '/proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.4\0',
  '/sys/devices/platform/soc/soc:firmware/get_throttled': '50005\n',
  '/sys/class/hwmon/hwmon0/name': 'cpu_thermal\n',
  '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n',
  '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '0\n',
  '/proc/net/route':
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n' +
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n' +
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n' +
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n',
  '/sys/class/net/eth0/operstate': 'up\n',
  '/sys/class/net/wlan0/operstate': 'down\n',
  '/proc/net/wireless': 'Inter-| sta-|\n face | tus |\n wlan0: 0000   70.  -40.  -256        0\n',
  '/sys/dev/block/0:0/uevent': 'MAJOR=179\nMINOR=2\nDEVNAME=mmcblk0p2\nDEVTYPE=partition\nPARTN=2\n',
  '/sys/block/loop0/stat': '0 0 0 0 0 0 0 0 0 0 0\n',
  '/sys/block/mmcblk0/mmcblk0p2/stat': '1 1 1 1 1 1 1 1 1 1 1\n',
  '/sys/block/mmcblk0/stat': '    2800   100  250000  2000   9000  4000  2000000  8000  0  3000  10000\n',
  '/sys/block/mmcblk0/device/life_time': '0x02 0x03\n',
  '/sys/block/mmcblk0/device/pre_eol_info': '0x01\n'
}

let simulation: Simulation
let machine: Machine
let sensor: MachineSensor

beforeEach(async () => {
  simulation = new Simulation(1)
  machine = simulation.machine('pi')
  sensor = new MachineSensor(machine.world, new Kernel(machine.world.files))
  await machine.world.files.makeDirectory('/data')
})

async function shows(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await machine.world.files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    await machine.world.files.writeFile(path, Buffer.from(text, 'latin1'))
  }
}

function read(): Promise<MachineReport> {
  return simulation.complete(sensor.read([place], machine.clock.wallUs() / 1000))
}

test('a machine that shows nothing says nothing', async () => {
  machine.host.mute = true
  const found = await read()
  expect(JSON.parse(JSON.stringify(found))).toEqual({
    disks: [{ use: 'data folder', freeBytes: 16e9, totalBytes: 16e9, minFreeBytes: 500e6 }]
  })
})

test('what a Pi shows is read', async () => {
  await shows(pi)
  expect(await read()).toMatchObject({
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    uptimeMs: 7_200_000,
    temperatureC: 48.312,
    power: {
      underVoltage: { now: true, since: true },
      throttled: { now: true, since: true },
      hot: { now: false, since: false }
    },
    memory: { totalBytes: 948_304 * 1024, availableBytes: 512_000 * 1024, ownBytes: 81_920 * 1024 },
    load: { one: 0.2, five: 0.18, fifteen: 0.12, cores: 4 },
    network: { interface: 'eth0', up: true, signalDbm: undefined },
    disks: [
      {
        wear: {
          device: 'mmcblk0',
          writtenBytes: 0,
          // Since the boot, two hours ago.
          writtenPerDayBytes: 2_000_000 * 512 * 12,
          lifeUsed: 0.3,
          reserve: 'normal'
        }
      }
    ]
  })
})

test('the alarm of the supply is remembered, which forgets it itself', async () => {
  const alarm = '/sys/class/hwmon/hwmon1/in0_lcrit_alarm'
  await shows({ '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n', [alarm]: '0\n' })
  expect((await read()).power).toEqual({ underVoltage: { now: false, since: false } })
  await shows({ [alarm]: '1\n' })
  expect((await read()).power).toEqual({ underVoltage: { now: true, since: true } })
  await shows({ [alarm]: '0\n' })
  expect((await read()).power).toEqual({ underVoltage: { now: false, since: true } })
})

test('what is written is counted from the start, and its pace from the last day', async () => {
  await shows(pi)
  const stat = (sectors: number): Promise<void> =>
    shows({ '/sys/block/mmcblk0/stat': `1 1 1 1 1 1 ${sectors} 1 1 1 1` })
  await read()
  // 1 GB an hour, for two days.
  for (let hour = 1; hour <= 48; hour++) {
    await simulation.run(HOUR_MS)
    await stat(2_000_000 + (hour * 1e9) / 512)
    await read()
  }
  const { writtenBytes, writtenPerDayBytes, lifeYears } = (await read()).disks[0]!.wear!
  expect(writtenBytes).toBe(48e9)
  expect(writtenPerDayBytes).toBeCloseTo(24e9, -6)
  expect(lifeYears).toBeCloseTo(30e12 / 24e9 / 365.25, 3)
})

test('the day when the disk will be full is told from a day of filling on', async () => {
  let full: number | undefined
  for (let hour = 0; hour <= 30; hour++) {
    if (hour > 0) await simulation.run(HOUR_MS)
    await machine.world.files.writeFile('/data/records', Buffer.alloc(100_000 * hour))
    full = (await read()).disks[0]!.fullMs
    if (hour < 24) expect(full).toBeUndefined()
  }
  // 2.4 MB a day of 15.5 GB: in 17 years, which is no forecast.
  expect(full).toBeUndefined()
  machine.disk.capacityBytes = 500e6 + 3e6 + 2.4e6
  const space = await machine.world.files.space('/data')
  const aDay = (16e9 - space.freeBytes) / (30 / 24)
  const days = (space.freeBytes - 500e6) / aDay
  const nowMs = machine.clock.wallUs() / 1000
  expect((await read()).disks[0]!.fullMs).toBeCloseTo(nowMs + days * 86_400_000, -3)
})

test('another disk in the place of the first has its own wear', async () => {
  await shows(pi)
  expect((await read()).disks[0]!.wear?.device).toBe('mmcblk0')
  await shows({ '/sys/dev/block/0:0/uevent': 'DEVNAME=loop0\nDEVTYPE=disk\n' })
  expect((await read()).disks[0]!.wear?.device).toBe('loop0')
})

test('a radio link, and none at all', async () => {
  const [head, wlan] = pi['/proc/net/route']!.split('\n')
  await shows({ ...pi, '/proc/net/route': `${head}\n${wlan}\n`, '/sys/class/net/wlan0/operstate': 'dormant\n' })
  expect((await read()).network).toEqual({ interface: 'wlan0', up: true, signalDbm: -40 })
  await shows({ '/sys/class/net/wlan0/operstate': 'down\n' })
  expect((await read()).network).toMatchObject({ up: false })
  await shows({ '/proc/net/route': `${head}\n` })
  expect((await read()).network).toEqual({ up: false })
  const zero = '0'.repeat(32)
  const line = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n`
  await shows({ '/proc/net/ipv6_route': line })
  expect((await read()).network).toMatchObject({ interface: 'eth0', up: true })
})

test('who sets the clock, and how', async () => {
  const kernel = new Kernel(machine.world.files)
  expect(await readTimeService(kernel)).toBeUndefined()
  await shows({ '/run/systemd/timesync/synchronized': '' })
  const by = await readTimeService(kernel)
  expect(by).toBe('systemd-timesyncd')
  const steering = { synchronised: true, driftPpm: -3, maxErrorMs: 12 }
  expect(clockReport('none', steering, by)).toEqual({ source: 'ntp', by, ...steering })
  expect(clockReport('ntp', { ...steering, synchronised: false }, by)).toMatchObject({ source: 'none' })
  expect(clockReport('relay', { ...steering, synchronised: false }, by)).toMatchObject({ source: 'relay' })
  expect(clockReport('ntp', undefined, by)).toEqual({ source: 'ntp', synchronised: true })
})

test('a disk that fails under the sensors makes them say nothing', async () => {
  await shows(pi)
  machine.disk.unreadable = true
  expect(await read()).toMatchObject({ model: 'Simulated Pi', disks: [], memory: undefined, network: undefined })
})

test('whatever stands in the files, it is read or is not known', async () => {
  const paths = Object.keys(pi)
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom('', '-1', '0x', 'NaN', 'eth0', '99999999999999999999', '0x0b 0x0c', '1 2', '0-', '\0')
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...paths), text, { noNullPrototype: true }), async (changes) => {
      await shows({ ...pi, ...changes })
      const found = await simulation.complete(
        new MachineSensor(machine.world, new Kernel(machine.world.files)).read([place], machine.clock.wallUs() / 1000)
      )
      for (const [, value] of numbersIn(found)) expect(Number.isFinite(value)).toBe(true)
    }),
    { numRuns: 200 }
  )
})

function numbersIn(value: unknown): Array<[string, number]> {
  return Object.entries(value ?? {}).flatMap(
    ([key, part]): Array<[string, number]> =>
      typeof part === 'number' ? [[key, part]] : typeof part === 'object' ? numbersIn(part) : []
  )
}
