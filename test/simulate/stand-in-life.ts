import { sealedFolders } from '../../src/captures/sealed.ts'
import { Appliance } from '../../src/cli/appliance.ts'
import type { Config } from '../../src/config/config.ts'
import { validate } from '../../src/config/validate.ts'
import type { Log } from '../../src/log.ts'
import { type Manner, ReplyingPrimary } from '../../src/sim/primary/replying.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { StreamClient } from '../../src/sim/relay/stream-client.ts'
import { Dashboards } from '../../src/sim/students/dashboard.ts'
import type { Dice } from '../../src/sim/world/dice.ts'
import type { Machine } from '../../src/sim/world/machine.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { Ms, Us } from '../../src/world/time.ts'
import type { World } from '../../src/world/world.ts'
import { installGraphs } from '../support/graphs.ts'
import { codeOf } from './lab.ts'
import { StandInRecord, type Trouble } from './stand-in-record.ts'

/** How a promise that was broken there is told. */
export const STANDING_IN = 'standing in: '

const second = 1000
const minute = 60 * second
/** The whole window of a capture, and what is asked in it. */
const HOUR_MS = 60 * minute
const ASKED_MS = 58 * minute
const STUDENTS = 200
const DATA = '/data'
const CREDENTIALS = '/credentials'

interface Pi {
  readonly machine: Machine
  readonly troubled: Trouble[]
  world: World
  appliance: Appliance | undefined
}

/**
 * An hour of 200 students at their dashboards, of a primary that fails and comes back on each stream by itself, and of two
 * Pis that stand in, while the relay joins and drops. In half of the lives nothing is the matter with the first Pi.
 * @param former the log of what was lived before, which stays where no promise is broken
 */
export async function liveStandIn(
  seed: number,
  former: readonly string[] = []
): Promise<{ readonly broken?: string; readonly log: readonly string[] }> {
  const life = new StandInLife(seed)
  const broken: string[] = []
  const crashed = (error: unknown): void => {
    broken.push(`the appliance would crash: ${error instanceof Error ? error.stack : error}`)
  }
  process.on('unhandledRejection', crashed)
  try {
    broken.push(...(await life.live()))
  } catch (error) {
    crashed(error)
  } finally {
    process.off('unhandledRejection', crashed)
  }
  const [first] = broken
  return first === undefined ? { log: former } : { broken: `${STANDING_IN}${first}`, log: life.log }
}

class StandInLife {
  readonly log: string[] = []
  readonly #simulation: Simulation
  readonly #dice: Dice
  readonly #relayMachine: Machine
  readonly #relay: SimulatedRelay
  readonly #streams: readonly string[]
  readonly #records = new Map<string, StandInRecord>()
  readonly #dashboards = new Map<string, Dashboards>()
  readonly #manners = new Map<string, Manner | undefined>()
  readonly #pis: readonly Pi[]
  /** When something was the matter with everybody's connections. */
  readonly #troubled: Trouble[] = []
  /** Whether nothing is the matter with the first Pi. */
  readonly #sound: boolean

  constructor(seed: number) {
    this.#simulation = new Simulation(seed)
    this.#dice = this.#simulation.dice.fork('standing in')
    this.#sound = this.#dice.chance(0.5)
    this.#streams = Array.from({ length: this.#dice.int(1, 4) }, (_, index) => `spin${30 + index}`)
    this.#relayMachine = this.#simulation.machine('relay')
    const at = { secret: 'a secret', host: 'relay', accessPort: 3000, relayPort: 3001 }
    this.#relay = new SimulatedRelay(this.#relayMachine.world, at)
    this.#pis = ['pi0', 'pi1'].map((name) => {
      const machine = this.#simulation.machine(name)
      return { machine, troubled: [], world: machine.world, appliance: undefined }
    })
  }

  /** @returns every promise that was broken */
  async live(): Promise<string[]> {
    const simulation = this.#simulation
    await simulation.complete(this.#begin())
    this.#planStudents()
    for (const stream of this.#streams) this.#planPrimary(stream, this.#dice.fork(stream))
    this.#planTroubles()
    await simulation.run(HOUR_MS + 5 * minute)
    const broken: string[] = []
    const troubles = this.#pis.map(({ troubled }) => troubled)
    for (const record of this.#records.values()) broken.push(...record.broken(troubles, this.#troubled))
    if (this.#sound) broken.push(...(await simulation.complete(this.#wrongFigures())))
    for (const { appliance } of this.#pis) await simulation.complete(appliance?.stop() ?? Promise.resolve())
    return broken
  }

  async #begin(): Promise<void> {
    const { world } = this.#simulation.machine('lab')
    await this.#relay.start()
    for (const stream of this.#streams) {
      const record = new StandInRecord(stream)
      const observer = new StreamClient(world, this.#relay, stream, (frame) =>
        record.hears(frame, this.#simulation.nowUs)
      )
      const dashboards = new Dashboards(world, this.#relay, stream)
      const primary = new ReplyingPrimary(world, this.#relay, stream, () => this.#manners.get(stream))
      this.#records.set(stream, record)
      this.#dashboards.set(stream, dashboards)
      await Promise.all([observer.join(), dashboards.join(), primary.start()])
    }
    for (const pi of this.#pis) {
      const { files } = pi.world
      await installGraphs(files)
      await files.makeDirectory(CREDENTIALS)
      for (const stream of this.#streams) {
        const { accessFile, tokenFile } = this.#relay.credentials(stream)
        for (const { name, content } of [accessFile, tokenFile])
          await files.writeFile(`${CREDENTIALS}/${name}`, content)
      }
      this.#launch(pi)
    }
  }

  #planStudents(): void {
    for (let student = 0; student < STUDENTS; student++) {
      const stream = this.#streams[student % this.#streams.length]!
      // A fifth of them at once, as when a lecture begins.
      const atMs = student % 5 === 0 ? 20 * minute : this.#dice.int(minute, ASKED_MS)
      const content = this.#dice.chance(0.7) ? 'all_feedback' : 'indicators'
      this.#after(atMs, () => this.#dashboards.get(stream)!.ask(`student ${student}`, content))
    }
  }

  #planPrimary(stream: string, dice: Dice): void {
    const change = (): void => {
      const count = dice.chance(0.1) ? dice.int(1, 4) : 5
      const afterMs = dice.chance(0.8) ? dice.int(5, 1900) : dice.int(1900, 8000)
      const manner = dice.chance(0.6) ? { afterMs, count } : undefined
      this.#manners.set(stream, manner)
      this.#note(`${stream}: the primary ${manner ? `replies after ${afterMs} ms, ${count} of five` : 'is silent'}`)
      this.#after(dice.int(10 * second, 5 * minute), change)
    }
    change()
  }

  #planTroubles(): void {
    const dice = this.#dice.fork('troubles')
    for (let left = dice.int(0, 8); left > 0; left--) {
      const pi = this.#pis[this.#sound ? 1 : dice.int(0, 1)]!
      const forMs = dice.int(500, 20_000)
      const kind = dice.int(0, this.#sound ? 3 : 4)
      this.#after(dice.int(2 * minute, ASKED_MS), () => this.#trouble(kind, pi, forMs))
    }
    for (let left = dice.int(0, 3); left > 0; left--) {
      const join = dice.chance(0.5) ? 'always' : 'natural'
      this.#after(dice.int(minute, ASKED_MS), () => this.#relay.trap({ join }))
    }
  }

  #trouble(kind: number, pi: Pi, forMs: Ms): void {
    const { machine, troubled } = pi
    const { network } = this.#simulation
    const { nowUs } = this.#simulation
    const trouble = { fromUs: nowUs, toUs: nowUs + forMs * 1000 + 15e6, cutOff: kind === 2 }
    this.#note(`${['kill', 'stall', 'partition', 'stalling disk', 'drop'][kind]} of ${machine.name} for ${forMs} ms`)
    if (kind === 4) {
      this.#troubled.push({ fromUs: nowUs, toUs: nowUs + 15e6, cutOff: false })
      this.#relay.drop()
      return
    }
    troubled.push(trouble)
    if (kind === 0) {
      machine.kill(pi.world)
      pi.appliance = undefined
      this.#after(forMs, () => {
        pi.world = machine.start()
        this.#launch(pi)
      })
    } else if (kind === 1) machine.stall(forMs, pi.world)
    else if (kind === 2) {
      network.partition(machine, this.#relayMachine)
      this.#after(forMs, () => network.heal(machine, this.#relayMachine))
    } else machine.disk.stall(forMs)
  }

  #launch(pi: Pi): void {
    const { world, machine } = pi
    const tell =
      (level: string) =>
      ({ err, ...fields }: { err?: unknown }, message: string): void =>
        this.#note(`${machine.name} ${level}: ${message} ${JSON.stringify(fields)}${err ? ` ${codeOf(err)}` : ''}`)
    const log: Log = { debug() {}, info: tell('info'), warn: tell('warn'), error: tell('error') }
    const options = { config: configOf(), user: { env: {}, uid: 1000 }, reserveBytes: 0 }
    Appliance.start(world, options, log).then(
      (appliance) => {
        if (pi.world === world) pi.appliance = appliance
      },
      (error) => this.#note(`${machine.name} fails to start: ${codeOf(error)}`)
    )
  }

  /** What the first Pi has put down of the primary, against what was so. */
  async #wrongFigures(): Promise<string[]> {
    const { appliance, world } = this.#pis[0]!
    const wrong: string[] = []
    const folders = await sealedFolders(world.files, DATA)
    const hour = folders.find(({ folder }) => folder.endsWith('T0800'))
    if (!appliance || !hour) return ['the hour is not sealed']
    const status = new Map(appliance.recording().streams.map((one) => [one.stream, one.primary]))
    const sealed = new Map(hour.manifest.streams.map(({ stream, primary }) => [stream, primary]))
    for (const [stream, record] of this.#records) {
      const { outages, ...counts } = record.availability()
      for (const [where, found] of [
        ['status', status.get(stream)],
        ['manifest', sealed.get(stream)]
      ] as const) {
        const { asked, replied, stoodIn } = found ?? { asked: 0, replied: 0, stoodIn: 0 }
        const told = JSON.stringify({ asked, replied, stoodIn })
        if (told !== JSON.stringify(counts))
          wrong.push(`${stream}: the ${where} says ${told}, not ${JSON.stringify(counts)}`)
      }
      const told = sealed.get(stream)?.outages ?? []
      const times = (list: readonly Outage[], sinceUs: Us): string =>
        JSON.stringify(
          list.map(({ fromUs, toUs }) => [
            Math.round((fromUs - sinceUs) / 1e6),
            toUs === undefined ? undefined : Math.round((toUs - sinceUs) / 1e6)
          ])
        )
      const isSame =
        told.length === outages.length &&
        told.every((one, index) => isNear(one, outages[index]!, this.#simulation.startWallUs))
      if (!isSame)
        wrong.push(`${stream}: outages ${times(told, this.#simulation.startWallUs)}, not ${times(outages, 0)}`)
    }
    return wrong
  }

  #after(ms: Ms, run: () => void): void {
    this.#simulation.schedule(ms * 1000, run)
  }

  #note(what: string): void {
    this.log.push(`${(this.#simulation.nowUs / 1e6).toFixed(6)} ${what}`)
  }
}

interface Outage {
  readonly fromUs: Us
  readonly toUs?: Us | undefined
}

function isNear(told: Outage, real: Outage, startUs: Us): boolean {
  const near = (one: Us | undefined, other: Us | undefined): boolean =>
    one === undefined || other === undefined ? one === other : Math.abs(one - startUs - other) < 100_000
  return near(told.fromUs, real.fromUs) && near(told.toUs, real.toUs)
}

function configOf(): Config {
  const made = validate({
    time_zone: 'Etc/UTC',
    streams: { credentials: CREDENTIALS },
    data: { directory: DATA },
    clock: { trust: true },
    relay: { read_interval: '5s', ping_interval: '30s', silence_timeout: '90s' },
    standby: { mode: 'answer' },
    capture: [{ name: 'hourly', schedule: '0 * * * *', duration: '1h' }]
  })
  if (!('config' in made)) throw new Error('the config is wrong')
  return made.config
}
