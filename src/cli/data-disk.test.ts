import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadCommands } from './program.ts'
import { SimulatedLab } from './simulated-lab.ts'

/** What an operator sees of a data disk that goes and comes. */

// loading code takes real time, which does not pass in a simulation
await loadCommands()

const MOUNT = '/media/usb'
const CREDENTIALS = '/credentials'
const place = '--config /config.toml'

let simulation: Simulation
let machine: Machine
let lab: SimulatedLab

beforeEach(async () => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
  machine.mount(MOUNT)
  const world = machine.start()
  lab = new SimulatedLab(world, { streams: 2, rateHz: 2 })
  await simulation.complete(lab.open(world, CREDENTIALS))
  const config = `[data]\ndirectory = "/data"\ndisk = "${MOUNT}"\n[streams]\ncredentials = "${CREDENTIALS}"\n`
  await simulation.complete(machine.world.files.writeFile('/config.toml', config))
})

/** Runs a command to its end. */
function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(machine, line).result, 600_000)
}

/** Records for a while; gives the recorder while it runs. */
async function recording(): Promise<Running> {
  const recorder = new Running(machine, `run ${place}`)
  await simulation.run(2000)
  await simulation.complete(lab.begin())
  await simulation.run(20_000)
  return recorder
}

async function passed(): Promise<number> {
  const { out } = await sh(`export --raw --out - ${place}`)
  return out.split('\n').length - 1
}

test('a disk that is pulled is told of by every command, until it is taken into use again', async () => {
  const recorder = await recording()
  expect((await sh(`status ${place}`)).out).toContain(`into ${MOUNT}\n`)
  expect((await sh(`disk ${place}`)).out).toBe(`writing to ${MOUNT}\n`)
  const before = await passed()
  expect(before).toBeGreaterThan(20)

  const usb = machine.detach(MOUNT)
  await simulation.run(20_000)
  const status = await sh(`status ${place}`)
  expect(status.out).toContain('into /data\n')
  expect(status.out).toContain('UNDERSTUDY_DISK_FAILED: ')
  expect((await sh(`doctor ${place}`)).out).toMatch(/^error +data disk: UNDERSTUDY_DISK_FAILED/m)
  expect(await sh(`verify ${place}`)).toMatchObject({ code: 5, out: expect.stringContaining('passed over: store 1 ') })
  const coverage = await sh(`coverage ${place}`)
  expect(coverage.out).toContain('disk away')
  expect(coverage.err).toContain('UNDERSTUDY_DISK_AWAY: ')
  expect((await sh(`export --raw --out /out ${place}`)).err).toContain('UNDERSTUDY_DISK_AWAY: ')
  expect(await sh(`disk ${place}`)).toMatchObject({ code: 1, out: expect.stringContaining('UNDERSTUDY_DISK_AWAY: ') })

  machine.attach(MOUNT, usb)
  expect((await sh(`doctor ${place}`)).out).toMatch(/^error +data disk: UNDERSTUDY_DISK_AWAY/m)
  expect(await sh(`disk ${place}`)).toEqual({ code: 0, out: `writing to ${MOUNT}\n`, err: '' })
  await simulation.run(5000)
  expect((await sh(`doctor ${place}`)).out).toMatch(/^ok +data disk: /m)
  expect(await sh(`verify ${place}`)).toMatchObject({ code: 0, out: expect.stringMatching(/^sound: 3 stores/) })
  expect((await sh(`coverage ${place}`)).out).not.toContain('disk away')
  expect(await passed()).toBeGreaterThan(before + 50)
  recorder.stop()
  expect(await simulation.complete(recorder.result)).toMatchObject({ code: 0 })
})

test('with none running, the command makes the disk ready for the next start', async () => {
  const recorder = await recording()
  recorder.stop()
  await simulation.complete(recorder.result)
  const usb = machine.detach(MOUNT)
  expect(await sh(`disk --json ${place}`)).toMatchObject({ code: 1 })
  expect((await sh(`coverage ${place}`)).err).toContain('UNDERSTUDY_DISK_AWAY: ')
  machine.attach(MOUNT, usb)
  const { code, out } = await sh(`disk --json ${place}`)
  expect(JSON.parse(out)).toEqual({ mount: MOUNT, used: true, away: [] })
  expect(code).toBe(0)
  expect(await sh(`verify ${place}`)).toMatchObject({ code: 0 })
})
