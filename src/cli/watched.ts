import type { Config } from '../config/config.ts'
import { Health } from '../health/health.ts'
import { Notifier, type NotifierOptions } from '../health/notifier.ts'
import type { PrimaryReport } from '../health/report.ts'
import type { JournalFacts, Rooms } from '../health/rooms.ts'
import { Watchdog } from '../health/watchdog.ts'
import type { Log } from '../log.ts'
import type { Route } from '../world/sockets.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { AwaitedJournal } from './awaited-journal.ts'
import type { HealthStatus } from './local/status.ts'
import { version } from './version.ts'

/** What a recorder is made of, as far as its health is asked for. */
export interface Parts extends Pick<Rooms, 'streams' | 'problems'> {
  readonly awaited: AwaitedJournal
  /** How the primary does, at a time. */
  readonly primary: (nowUs: Us) => PrimaryReport | undefined
  /** Certificates in PEM. */
  readonly ca: string | undefined
}

/** A recorder's health: looked at, told to systemd, and to whom [notify] names. */
export class Watched {
  readonly health: Health
  private readonly watchdog: Watchdog
  private readonly notifier: Notifier | undefined

  constructor(world: World, config: Config, { awaited, ca, streams, problems, primary }: Parts, log: Log) {
    const journal = (): JournalFacts => journalFacts(awaited)
    const rooms: Rooms = {
      streams,
      problems,
      journal,
      captures: () => awaited.running?.captures.status(),
      sync: () => awaited.running?.sync.status(),
      primary: () => primary(awaited.stamp().wallUs)
    }
    this.health = new Health(world, config, version, rooms, log)
    this.watchdog = new Watchdog(world, journal)
    const { proxy } = config.network
    const route = (): Route => {
      const notBeforeMs = awaited.hearing.unknownSinceMs
      return {
        ...(proxy !== undefined && { proxy }),
        ...(ca !== undefined && { ca }),
        ...(notBeforeMs !== undefined && { judgeDates: { notBeforeMs } })
      }
    }
    const current = (): ReturnType<NotifierOptions['current']> => {
      const report = this.health.report()
      return { report, verdict: this.health.verdict(report) }
    }
    const { url } = config.notify
    this.notifier = url === undefined ? undefined : new Notifier(world, { url, route, current }, log)
    this.health.onChange((verdict, report) => {
      this.watchdog.say(verdict.sentence)
      this.notifier?.changed(verdict, report)
    })
  }

  start(): void {
    this.watchdog.start()
    this.notifier?.start()
    this.health.start()
  }

  async stop(): Promise<void> {
    this.watchdog.stop()
    this.notifier?.stop()
    await this.health.stop()
  }

  status(): HealthStatus {
    const report = this.health.report()
    const { inTerm, clock, machine } = report
    return { verdict: this.health.verdict(report), inTerm, clock, machine }
  }
}

function journalFacts(awaited: AwaitedJournal): JournalFacts {
  const { running, failure, pendingBytes, pendingMs } = awaited
  const { wallUs: nowUs, source } = awaited.stamp()
  const { damaged = [], disk } = running?.journal ?? {}
  return { open: running !== undefined, failure, pendingBytes, pendingMs, nowUs, source, damaged, disk }
}
