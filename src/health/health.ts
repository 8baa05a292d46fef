import { Zone } from '../captures/zone.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { ClockSteering } from '../world/host.ts'
import type { Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { captureReport, isInTerm, journalReport, streamReport, syncReport } from './gather.ts'
import { judge } from './judge.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { HealthMemory } from './memory.ts'
import type { CaptureReport, MachineReport, Report, SyncReport } from './report.ts'
import type { Rooms } from './rooms.ts'
import type { DiskPlace } from './sensors/disk.ts'
import { Kernel } from './sensors/kernel.ts'
import { MachineSensor } from './sensors/machine.ts'
import { clockReport, readTimeService } from './sensors/steering.ts'
import { findingsOf, type Verdict } from './verdict.ts'

/** How often the machine, the captures and the handing over are looked at. */
const SURVEY_US = 60_000_000
const BOOT_STATUS = '/sys/class/watchdog/watchdog0/bootstatus'

export type VerdictListener = (verdict: Verdict, report: Report) => void

/** Looks at everything again and again, and says how it stands. */
export class Health {
  readonly #world: World
  readonly #config: Config
  readonly #version: string
  readonly #rooms: Rooms
  readonly #log: Log
  readonly #limits: Limits
  readonly #zone: Zone
  readonly #kernel: Kernel
  readonly #sensor: MachineSensor
  readonly #listeners = new Set<VerdictListener>()
  readonly #startedUs: Us
  #memory: HealthMemory | undefined
  #steering: ClockSteering | undefined
  #timeService: string | undefined
  #machine: MachineReport = { disks: [] }
  #captures: readonly CaptureReport[] | undefined
  #sync: SyncReport | undefined
  /** What was logged last, and what the listeners were told. */
  #logged = ''
  #told = ''
  #surveyedUs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #surveying: Promise<void> | undefined
  /** Something has happened since the last survey began. */
  #isNews = false
  #stopped = false

  constructor(world: World, config: Config, version: string, rooms: Rooms, log: Log) {
    this.#world = world
    this.#config = config
    this.#version = version
    this.#rooms = rooms
    this.#log = log
    this.#limits = { ...defaultLimits, unheardMs: config.health.unheardMs }
    this.#zone = new Zone(config.timeZone)
    this.#kernel = new Kernel(world.files)
    this.#sensor = new MachineSensor(world, this.#kernel)
    this.#startedUs = world.clock.monoUs()
  }

  /** From now on it looks by itself. */
  start(): void {
    this.#timer = this.#world.timers.every(this.#config.health.lookIntervalMs, () => this.#look())
    this.#look()
  }

  /** Ends it; what is looked at now is looked at to its end. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await Promise.all([this.#looking, this.#surveying])
    await this.#memory?.end()
  }

  /** Looks at everything now: something has happened that is asked for once a minute otherwise. */
  refresh(): void {
    this.#isNews = true
    this.#look()
  }

  /** Told of each verdict that says or finds something else than the one before. Gives what takes the listener away again. */
  onChange(listener: VerdictListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How everything is at this moment; the machine, the captures and the handing over as of the last minute. */
  report(): Report {
    const monoUs = this.#world.clock.monoUs()
    const journal = this.#rooms.journal()
    const { nowUs, source } = journal
    const clock = clockReport(source, this.#steering, this.#timeService)
    return {
      format: 1,
      version: this.#version,
      site: this.#config.site,
      startedMs: Math.floor((nowUs - (monoUs - this.#startedUs)) / 1000),
      nowMs: Math.floor(nowUs / 1000),
      // A day that is only guessed is no holiday.
      inTerm: clock.source === 'none' || isInTerm(this.#config.terms, this.#zone.wallMs(nowUs)),
      streams: this.#rooms.streams().map((facts) => streamReport(facts, { nowUs, monoUs }, this.#memory)),
      problems: this.#rooms.problems(),
      journal: journalReport(journal),
      captures: this.#captures,
      sync: this.#sync,
      clock,
      machine: { ...this.#machine, bootCause: this.#memory?.bootCause },
      primary: this.#rooms.primary?.()
    }
  }

  verdict(report: Report = this.report()): Verdict {
    return judge(report, this.#limits)
  }

  /** A disk that hangs holds up a survey, but no look. */
  #look(): void {
    if (this.#stopped) return
    const monoUs = this.#world.clock.monoUs()
    if (!this.#surveying && (this.#isNews || monoUs - this.#surveyedUs >= SURVEY_US)) {
      this.#surveyedUs = monoUs
      this.#isNews = false
      this.#surveying = this.#tried(this.#survey()).finally(() => {
        this.#surveying = undefined
        this.#look()
      })
    }
    this.#looking ??= this.#tried(this.#lookOnce()).finally(() => {
      this.#looking = undefined
    })
  }

  async #tried(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!this.#stopped) this.#log.error({ err: error }, 'how it stands could not be looked at')
    }
  }

  async #lookOnce(): Promise<void> {
    this.#steering = await this.#world.host.steering()
    const report = this.report()
    const verdict = this.verdict(report)
    const { state, sentence, reasons } = verdict
    const findings = findingsOf(verdict)
    if (findings !== this.#logged) this.#log.info({ state, reasons: reasons.map(({ code }) => code) }, sentence)
    this.#logged = findings
    const told = `${findings} ${sentence}`
    if (told === this.#told) return
    this.#told = told
    for (const listener of this.#listeners) listener(verdict, report)
  }

  async #survey(): Promise<void> {
    const { sync, data } = this.#config
    this.#memory ??= await HealthMemory.open(this.#world, data.directory, await this.#kernel.number(BOOT_STATUS))
    this.#memory.take(this.#rooms.streams(), this.#rooms.journal())
    await this.#memory.save()
    if (this.#stopped) return
    this.#machine = await this.#sensor.read(this.#places(), this.#rooms.journal().nowUs / 1000)
    this.#timeService = await readTimeService(this.#kernel)
    this.#captures = (await this.#rooms.captures())?.map(captureReport)
    const status = await this.#rooms.sync()
    this.#sync = status && syncReport(status, sync.target !== undefined)
  }

  /** Where is written to. */
  #places(): DiskPlace[] {
    const { data, journal, health } = this.#config
    const { minFreeBytes } = journal
    const common = { minFreeBytes, enduranceBytes: health.enduranceBytes }
    const { disk } = this.#rooms.journal()
    const place: DiskPlace = { use: 'data folder', path: data.directory, ...common }
    return disk?.used && disk.mount !== undefined ? [place, { use: 'data disk', path: disk.mount, ...common }] : [place]
  }
}
