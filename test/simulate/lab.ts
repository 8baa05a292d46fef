import { createHash } from 'node:crypto'
import { capturesPath } from '../../src/captures/sealed.ts'
import { Appliance } from '../../src/cli/appliance.ts'
import { requireRunning } from '../../src/cli/local/open.ts'
import type { Config } from '../../src/config/config.ts'
import { validate } from '../../src/config/validate.ts'
import { systemCode } from '../../src/errors.ts'
import type { Position } from '../../src/journal/entry.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { Log } from '../../src/log.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import type { Dice } from '../../src/sim/world/dice.ts'
import type { Machine } from '../../src/sim/world/machine.ts'
import type { Network } from '../../src/sim/world/network.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { Report } from '../../src/sync/handover.ts'
import type { Ms, Us } from '../../src/world/time.ts'
import type { World } from '../../src/world/world.ts'
import { storesOf } from './damage.ts'
import { Far, SITE } from './far.ts'
import { Model, type Run } from './model.ts'
import { PiDisk } from './pi-disk.ts'
import type { Plan } from './plan.ts'
import { follow } from './reader.ts'
import type { Removed } from './room.ts'
import { Sealed } from './sealed.ts'
import { Students } from './students.ts'
import { touching } from './touching.ts'

export const DATA = '/var/lib/understudy'
const CREDENTIALS = '/etc/practable'
/** What systemd waits before it starts a program again that has failed. */
const RESTART_MS = 5000
/** What a stop may take at most. */
const STOP_MS = 5000
const YEAR_S = 365 * 86_400

/** After the disk works again, what waits for it is on it this long after. */
const RECORDING_MS = 5000
/** Where something is done to make a sealed folder, and about how often it is for one. */
const SEALED = `${DATA}/captures/`
const SEALING_STEPS = 14

/** A tick that is late by less than this says nothing of a stall. */
const UNNOTICED_MS = 250

/** One way, µs. */
const usualLatencyUs = [1000, 20_000] as const
const slowLatencyUs = [200_000, 2_000_000] as const
/** The slowest that a message ever travels. */
export const SLOWEST_MS = slowLatencyUs[1] / 1000

/** A relay with its students, and a Pi with the appliance, in a simulated world. */
export class Lab {
  readonly plan: Plan
  readonly simulation: Simulation
  readonly model: Model
  readonly pi: Machine
  readonly disk: PiDisk
  readonly sealed: Sealed
  /** In some lives. */
  readonly far: Far | undefined
  readonly relayMachine: Machine
  readonly streams: readonly string[]
  readonly log: string[] = []
  relay: SimulatedRelay
  readonly #students: Students
  readonly #dice: Dice
  readonly #config: Config
  #appliance: Appliance | undefined
  #journal: Journal | undefined
  #run: Run | undefined
  /** Whether the appliance is to run: somebody starts it again when it ends by itself. */
  #wanted = false
  #relayRuns = false
  /** While the process is stopped. */
  #stalledUntilUs: Us = 0
  readonly #atCommit: Array<() => void> = []
  /** What happens after so many more things that are done to make a sealed folder. */
  #atSealing: { left: number; readonly act: () => void } | undefined

  constructor(plan: Plan) {
    this.plan = plan
    this.simulation = new Simulation(plan.seed)
    this.#dice = this.simulation.dice.fork('lab')
    this.streams = Array.from({ length: plan.streams }, (_, i) => `spin${30 + i}`)
    this.model = new Model(this.simulation, plan, this.streams, (what) => this.note(what))
    this.relayMachine = this.simulation.machine('relay')
    this.relay = this.#makeRelay()
    this.pi = this.simulation.machine('pi', { diskBytes: plan.diskBytes })
    this.model.booted(this.pi.clock.boot)
    this.#config = configOf(plan)
    this.network.bufferBytes = 80_000
    this.latency(false)
    this.disk = new PiDisk(this.pi.disk, this.simulation, plan.syncMs, () => this.#diskWorks())
    this.#students = new Students(this, plan.pauseMs)
    const broke = (what: string): void => void this.model.broke(what)
    this.sealed = new Sealed(this.pi.disk, capturesPath(DATA), () => this.nowUs, plan.minFreeBytes > 0, broke)
    this.far = plan.handover && new Far(this)
  }

  get network(): Network {
    return this.simulation.network
  }

  get captures(): Config['captures'] {
    return this.#config.captures
  }

  get appliance(): Appliance | undefined {
    return this.#appliance
  }

  /** A line of the life's log. */
  note(what: string): void {
    this.log.push(`${(this.simulation.nowUs / 1e6).toFixed(6)} ${what}`)
  }

  after(ms: Ms, run: () => void): void {
    this.simulation.schedule(ms * 1000, run)
  }

  pick(chance: number): string {
    return this.streams[Math.floor(((chance * 7919) % 1) * this.streams.length)]!
  }

  /** The relay and the students are there, the credentials are on the Pi, and it starts. */
  async begin(): Promise<void> {
    await this.simulation.complete(this.relay.start())
    this.#relayRuns = true
    const { files } = this.pi.world
    await this.simulation.complete(files.makeDirectory(CREDENTIALS))
    for (const stream of this.streams) await this.simulation.complete(this.#writeCredentials(stream, YEAR_S))
    this.#students.begin()
    this.far?.begin()
    this.#wanted = true
    this.#launch(this.pi.world)
  }

  /** Everything is put right; what does not run is started. */
  heal(): void {
    this.note('everything is put right')
    this.relay.untrap()
    this.network.heal(this.pi, this.relayMachine)
    this.network.fail('relay', undefined)
    this.latency(false)
    this.disk.heal()
    this.#atSealing = undefined
    this.startRelay()
    if (!this.pi.on) this.boot(0.9)
    this.synchronise()
    this.far?.heal()
    for (const stream of this.streams) {
      this.relay.allow(stream)
      this.issue(stream)
    }
    // What is wrong with the store that is written shows when it is opened.
    if (this.model.newestDamaged) this.kill()
    this.start()
  }

  /** No message comes any more. */
  silence(): void {
    this.#students.end()
  }

  // The Pi

  cut(): void {
    if (!this.pi.on) return
    this.#ended('power cut')
    this.model.cut()
    this.pi.cutPower()
  }

  /** @param chance below 0.4 the clock is not right at once */
  boot(chance: number): void {
    if (this.pi.on) return
    const world = this.pi.boot()
    this.model.booted(this.pi.clock.boot)
    if (chance < 0.4) {
      this.pi.clock.setSynchronised(false)
      this.model.clockFaulty = true
      if (chance < 0.2) this.pi.clock.setWall(chance * 1e9)
      if (chance < 0.3) this.after(60_000 * (1 + 100 * (chance % 0.1)), () => this.synchronise())
    }
    this.note(`boots, clock ${this.pi.clock.wallUs()}`)
    this.#launch(world)
  }

  kill(): void {
    if (!this.pi.on || !this.#run) return
    const { world } = this.#run
    this.#ended('killed')
    this.pi.kill(world)
  }

  start(): void {
    this.#wanted = true
    if (this.pi.on && !this.#run) this.#launch(this.pi.start())
  }

  /** SIGTERM. Resolves when it has ended. */
  async stop(): Promise<void> {
    const run = this.#run
    const appliance = this.#appliance
    if (!run || !appliance || run.stopping) return
    this.note('is told to stop')
    run.stopping = true
    this.#wanted = false
    const healthy = this.disk.works
    const sinceUs = this.simulation.nowUs
    try {
      await appliance.stop()
    } catch (error) {
      this.note(`fails to stop: ${codeOf(error)}`)
      if (healthy && this.disk.works) this.model.broke(`a stop fails on a healthy disk: ${error}`)
    }
    const tookMs = (this.simulation.nowUs - sinceUs) / 1000
    // A fault that began meanwhile excuses it.
    if (tookMs > STOP_MS + this.plan.syncMs * 10 && healthy && this.model.undisturbedSince(sinceUs)) {
      this.model.broke(`a stop takes ${tookMs} ms`)
    }
    this.#ended('stopped')
    this.pi.kill(run.world)
  }

  /** At a moment when much is under way: right after the next commit, or not, when none comes in time. */
  cutAfterCommit(chance: number, forMs: Ms): void {
    const untilUs = this.nowUs + forMs * 1000
    this.#atCommit.push(() => {
      if (this.nowUs < untilUs) this.after(chance * 4 * this.plan.syncMs, () => this.nowUs < untilUs && this.cut())
    })
  }

  /** The same while a folder is being sealed. */
  atSealing(act: () => void, chance: number): void {
    this.#atSealing = { left: 1 + Math.floor(((chance * 1000) % 1) * SEALING_STEPS), act }
  }

  /** `understudy sync`, as somebody calls it. */
  syncByHand(recheck: boolean): void {
    if (!this.pi.on) return
    this.handOver(recheck).then(
      ({ sent, confirmed }) => this.note(`by hand: ${sent.length} sent, ${confirmed.length} confirmed`),
      (error) => this.note(`by hand: ${codeOf(error)}`)
    )
  }

  async handOver(recheck: boolean): Promise<Report> {
    const world = this.pi.start()
    try {
      return await (await requireRunning(world, DATA)).sync(recheck, () => {})
    } finally {
      this.pi.kill(world)
    }
  }

  stall(ms: Ms): void {
    if (!this.#run) return
    this.pi.stall(ms, this.#run.world)
    this.#stalledUntilUs = this.nowUs + ms * 1000
    if (ms < this.plan.readIntervalMs + UNNOTICED_MS) this.model.shortStalls.push([this.nowUs, this.nowUs + ms * 1000])
  }

  stepClock(chance: number): void {
    const byS = chance < 0.3 ? 1 : chance < 0.6 ? 90 : chance < 0.8 ? 3600 : 86_400
    const sign = (chance * 1000) % 1 < 0.5 ? 1 : -1
    this.pi.clock.step(sign * byS * 1e6)
    this.model.clockFaulty = true
  }

  synchronise(): void {
    this.pi.clock.setWall(this.simulation.trueWallUs)
    this.pi.clock.setSynchronised(true)
  }

  /**
   * The disk works again: what waits is on it soon, without a restart. Not where something else is in the way, nor where
   * nothing waits.
   */
  #diskWorks(): void {
    const { model } = this
    const run = this.#run
    const journal = this.#journal
    if (!run || !journal || journal.pendingBytes === 0 || !this.disk.isWell || this.nowUs < this.#stalledUntilUs) return
    const sinceUs = this.nowUs
    let recordedUs: Us | undefined
    const forget = journal.onCommit(() => {
      recordedUs ??= this.nowUs
    })
    this.after(RECORDING_MS, () => {
      forget()
      if (this.#run !== run || run.stopping || model.disturbedUs > sinceUs) return
      if (recordedUs === undefined) model.broke(`nothing is committed ${RECORDING_MS} ms after the disk works again`)
      else model.recoveriesMs.push((recordedUs - sinceUs) / 1000)
    })
  }

  // The relay and the way to it

  stopRelay(): void {
    if (!this.#relayRuns) return
    this.#relayRuns = false
    void this.relay.stop()
  }

  killRelay(): void {
    this.#relayRuns = false
    if (this.relayMachine.on) this.relayMachine.kill(this.#relayWorld())
  }

  cutRelay(): void {
    this.#relayRuns = false
    this.relayMachine.cutPower()
  }

  startRelay(): void {
    if (this.#relayRuns) return
    if (!this.relayMachine.on) this.relayMachine.boot()
    else this.relayMachine.start()
    this.relay = this.#makeRelay()
    this.#relayRuns = true
    void this.relay.start()
  }

  /** Whether a message that is sent now reaches the relay. */
  get relayRuns(): boolean {
    return this.#relayRuns
  }

  latency(slow: boolean): void {
    this.network.latencyUs = slow ? slowLatencyUs : usualLatencyUs
  }

  /** Much at once on one stream, more than the relay queues for a client that does not read. */
  flood(chance: number): void {
    this.#students.flood(this.pick(chance), 100 + Math.round(chance * 1400), 400)
  }

  // The credentials

  issue(stream: string, expiresInS: number = YEAR_S): void {
    if (!this.pi.on) return
    this.#writeCredentials(stream, Math.max(1, Math.round(expiresInS))).catch(() => {
      // The disk is what is broken now: the operator tries again.
      this.after(10_000, () => this.issue(stream, expiresInS))
    })
  }

  withdraw(stream: string): void {
    if (!this.pi.on) return
    for (const kind of ['access', 'token']) {
      this.pi
        .start()
        .files.remove(`${CREDENTIALS}/log.${kind}.${stream}`)
        .catch(() => {})
    }
  }

  async #writeCredentials(stream: string, expiresInS: number): Promise<void> {
    const { accessFile, tokenFile } = this.relay.credentials(stream, { expiresInS })
    const { files } = this.pi.start()
    for (const { name, content } of [accessFile, tokenFile]) {
      await files.writeFile(`${CREDENTIALS}/${name}`, content)
      const file = await files.open(`${CREDENTIALS}/${name}`, 'edit')
      await file.sync()
      await file.close()
    }
  }

  // One run of the appliance

  #launch(world: World): void {
    this.note('starts')
    const run = this.model.starts(world)
    this.#run = run
    const options = {
      config: this.#config,
      user: { env: {}, uid: 1000 },
      reserveBytes: this.plan.reserveBytes,
      waitsForRoom: true,
      opened: (journal: Journal) => this.#opened(run, journal)
    }
    Appliance.start(this.far ? touching(world, SEALED, () => this.#sealing(run)) : world, options, this.#logOf(run))
      .then((appliance) => {
        if (this.#run === run) this.#appliance = appliance
        return appliance.opened
      })
      .catch((error) => {
        this.note(`fails to start: ${codeOf(error)}`)
        if (this.#run !== run || run.stopping) return
        this.#ended('failed')
        this.pi.kill(world)
        this.after(RESTART_MS, () => {
          if (this.#wanted && !this.#run) this.start()
        })
      })
  }

  #sealing(run: Run): void {
    const { left = 0, act = () => {} } = this.#atSealing ?? {}
    if (left === 0 || this.#run !== run) return
    this.#atSealing = left === 1 ? undefined : { left: left - 1, act }
    if (left === 1) act()
  }

  #opened(run: Run, journal: Journal): void {
    this.model.opened(run, journal.nextPosition)
    this.#journal = journal
    const { hearing } = journal
    const keep = hearing.frame.bind(hearing)
    hearing.frame = (stream, payload, binary) => {
      this.model.fed(run, stream, payload)
      keep(stream, payload, binary)
      this.model.pending(journal.pendingBytes, this.plan.memoryBytes)
    }
    journal.onCommit((lastSeqs) => {
      this.model.acknowledged(run, lastSeqs, journal.nextPosition)
      for (const act of this.#atCommit.splice(0)) act()
    })
    const confirm = journal.confirm.bind(journal)
    journal.confirm = async (position) => {
      const { room } = this.model
      room.confirms(position)
      if (this.far) this.sealed.confirms(position)
      await confirm(position)
      room.confirmed(position)
    }
    void follow('follower', journal, this.model, run, (cursor) => cursor.wait())
    const { confirmMs, visitMs } = this.plan
    if (confirmMs !== undefined) this.#confirm(run, journal, confirmMs, journal.firstPosition)
    if (visitMs !== undefined) void follow('visitor', journal, this.model, run, () => this.#pass(visitMs))
  }

  /** Again and again what was there the last time is elsewhere too. */
  #confirm(run: Run, journal: Journal, everyMs: Ms, position: Position): void {
    this.after(everyMs, () => {
      if (run.ended || run.stopping) return
      journal.confirm(position).catch((error) => this.note(`nothing could be confirmed: ${codeOf(error)}`))
      this.#confirm(run, journal, everyMs, journal.nextPosition)
    })
  }

  #pass(ms: Ms): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  #ended(how: string): void {
    this.note(how)
    if (this.#run) this.model.ended(this.#run)
    this.#run = undefined
    this.#appliance = undefined
    this.#journal = undefined
  }

  #relayOf: World | undefined

  #relayWorld(): World {
    return this.#relayOf!
  }

  #makeRelay(): SimulatedRelay {
    this.#relayOf = this.relayMachine.world
    return new SimulatedRelay(this.#relayOf, { secret: 'a secret', host: 'relay', accessPort: 3000, relayPort: 3001 })
  }

  #logOf(run: Run): Log {
    const line =
      (level: string) =>
      (fields: { err?: unknown }, message: string): void => {
        if (this.#run !== run) return
        const { err, ...rest } = fields
        this.note(`${level}: ${message} ${JSON.stringify(rest)}${err ? ` ${codeOf(err)}` : ''}`)
        this.#heed(message, rest, err)
      }
    return { debug() {}, info: line('info'), warn: line('warn'), error: line('error') }
  }

  /** Some of what the appliance says can be checked against what is known. */
  #heed(message: string, fields: object, error: unknown): void {
    const { model } = this
    if (message.startsWith('a part of the journal was removed')) {
      const calm = model.undisturbedSince(this.nowUs - 10e6)
      const readers = this.#journal?.readers.all().map(({ reader }) => reader) ?? ['unknown']
      const { ackedPosition: nextPosition } = model
      model.room.removed(fields as Removed, { disk: this.pi.disk, calm, nextPosition, readers })
    } else if (message.startsWith('removed')) {
      const { name, folder } = fields as { name?: string; folder?: string }
      this.sealed.removed(
        folder ?? name!.slice('captures/'.length),
        message.endsWith('make room') ? 'room' : 'confirmed'
      )
    } else if (message.startsWith("the readers' store is damaged")) {
      model.readersLost()
    } else if (message === 'a damaged store is salvaged') {
      model.room.salvaged((fields as Removed).store)
    } else if (error && codeOf(error).includes('ENOSPC') && this.plan.minFreeBytes > 0) {
      const excused = this.disk.isFull || !model.undisturbedSince(this.nowUs - 10e6)
      if (!excused) model.broke(`the disk is full although ${this.plan.minFreeBytes} bytes are to be kept free`)
    }
  }

  /** Looked at every minute. */
  look(): void {
    this.sealed.look()
    const { model, disk } = this
    const quiet = model.undisturbedSince(this.nowUs - 130e6) && model.damaged.size === 0 && disk.isWell
    if (!this.#journal || !this.#appliance || !quiet) return
    model.room.checkFree(this.pi.disk, storesOf(this.pi.disk).length - 1)
  }

  /** Of the log so far. */
  digest(): string {
    return createHash('sha256').update(this.log.join('\n')).digest('hex')
  }

  nextDice(label: string): Dice {
    return this.#dice.fork(label)
  }

  get nowUs(): Us {
    return this.simulation.nowUs
  }
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: string }).code ?? systemCode(error)
  return `${code ?? ''} ${error instanceof Error ? error.message : error}`.trim()
}

function configOf(plan: Plan): Config {
  const {
    captured: [schedule, duration] = ['0 * * * *', '1h'],
    syncSchedule,
    maxAgeMs: keptMs,
    maxBytes: keptBytes
  } = plan.handover ?? {}
  const often = { name: 'often', schedule, duration }
  const daily = { name: 'daily', schedule: '0 0 * * *', duration: '1d' }
  const sync = syncSchedule && { target: `understudy@primary:/srv/understudy`, schedule: syncSchedule }
  const made = validate({ site: SITE, time_zone: 'Europe/London', capture: [daily, often], sync })
  if (!('config' in made)) throw new Error('the default config is wrong')
  const { config } = made
  const { readIntervalMs, pingIntervalMs, silenceTimeoutMs } = plan
  const { commitIntervalMs, storeSizeBytes, storeAgeMs, memoryBytes, maxBytes, minFreeBytes, maxAgeMs } = plan
  const journal = { commitIntervalMs, storeSizeBytes, storeAgeMs, memoryBytes, minFreeBytes, maxBytes, maxAgeMs }
  return {
    ...config,
    streams: { ...config.streams, credentialsDirectory: CREDENTIALS },
    relay: { ...config.relay, readIntervalMs, pingIntervalMs, silenceTimeoutMs },
    journal: { ...config.journal, ...journal },
    sync: { ...config.sync, maxAgeMs: keptMs, maxBytes: keptBytes },
    // Nobody looks at it here, and a life is long.
    health: { ...config.health, lookIntervalMs: 300_000 },
    data: { directory: DATA }
  }
}
