import { isExperiment } from '../analytics/experiments.ts'
import { loadModels } from '../analytics/models.ts'
import { Standby, type StandbyStatus } from '../analytics/standby/standby.ts'
import type { StudentGraphs } from '../analytics/student-graphs.ts'
import type { Config } from '../config/config.ts'
import type { Found } from '../config/credentials.ts'
import { mayWrite } from '../config/token.ts'
import { UnderstudyError } from '../errors.ts'
import type { PrimaryReport } from '../health/report.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import type { Roster } from '../relay/roster.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'

/** A recorder's stand-in: it begins when the journal is open, and answers where the tokens allow it. */
export class StandingIn {
  private readonly world: World
  private readonly config: Config
  private readonly roster: Pick<Roster, 'send'>
  private readonly log: Log
  private tokens: Found['tokens'] = new Map()
  /** Streams of which it was said that nothing is answered there. */
  private readonly told = new Set<string>()
  private standby: Standby | undefined
  private readonly begunUs: Us
  private stopped = false

  constructor(world: World, config: Config, roster: Pick<Roster, 'send'>, log: Log) {
    this.world = world
    this.begunUs = world.clock.monoUs()
    this.config = config
    this.roster = roster
    this.log = log
  }

  /** The streams there are from now on. */
  take({ sources, tokens }: Found): void {
    this.tokens = tokens
    if (this.config.standby.mode === 'observe') return
    for (const { stream } of sources) {
      if (this.answersOn(stream)) this.told.delete(stream)
      else if (!this.told.has(stream)) {
        this.told.add(stream)
        const { code, message } = new UnderstudyError('UNDERSTUDY_STANDBY_READ_ONLY')
        this.log.warn({ code, stream }, message)
      }
    }
  }

  /** Whether it answers on a stream: who does has to read it at once. */
  answersOn(stream: string): boolean {
    return this.config.standby.mode !== 'observe' && mayWrite(this.tokens.get(stream))
  }

  async begin(journal: Journal, students: StudentGraphs): Promise<void> {
    const { world, config, roster, log } = this
    const models = await loadModels(world.files, config.primary.compPath, log)
    if (this.stopped) return
    const { mode, afterMs } = config.standby
    const { corrected } = config.analytics
    const { readIntervalMs } = config.relay
    this.standby = new Standby(
      world,
      { mode, afterMs, readIntervalMs, corrected },
      {
        journal,
        roster,
        models,
        mayWrite: (stream) => mayWrite(this.tokens.get(stream)),
        studentBefore: async (place, { user, exp, course }) => {
          if (!isExperiment(exp)) return undefined
          await students.readTo(place.position + 1)
          return students.before({ user, exp, course }, place)
        }
      },
      log
    )
    this.standby.start()
  }

  /** Nothing is sent any more from the moment that it is called. */
  async stop(): Promise<void> {
    this.stopped = true
    await this.standby?.stop()
  }

  /** By stream, where anything was asked or answered. */
  status(): Map<string, StandbyStatus> {
    return new Map(this.standby?.status().map((one) => [one.stream, one]))
  }

  /** How the primary does on all streams; `undefined` where there is none, or nothing was asked of it. */
  primary(nowUs: Us): PrimaryReport | undefined {
    const all = this.standby?.status() ?? []
    if (this.config.standby.mode === 'always' || all.length === 0) return undefined
    const silent = all.filter((one) => one.silent)
    const begun = silent.map(({ outages }) => outages.at(-1)?.fromUs ?? this.begunUs)
    const ended = all.flatMap(({ outages }) => outages.flatMap(({ toUs }) => toUs ?? []))
    const sinceUs = silent.length > 0 ? Math.min(...begun) : Math.max(this.begunUs, ...ended)
    return {
      available: silent.length === 0,
      sinceMs: Math.floor((nowUs - this.world.clock.monoUs() + sinceUs) / 1000),
      standingIn: silent.some(({ answers }) => answers)
    }
  }
}
