import { versions } from 'node:process'
import { Zone } from '../captures/zone.ts'
import type { Config } from '../config/config.ts'
import { isInTerm } from '../health/gather.ts'
import type { Health } from '../health/health.ts'
import type { Log } from '../log.ts'
import { StatusServer } from '../status/server.ts'
import type { World } from '../world/world.ts'
import type { AwaitedJournal } from './awaited-journal.ts'

/** What a recorder's page is made of. */
export interface ShownParts {
  readonly awaited: AwaitedJournal
  readonly health: Health
  /** What was logged last. */
  readonly logged: () => readonly string[]
}

/** The page of a recorder: it is there from the start, and counts what comes once the journal is open. */
export function servePage(
  world: World,
  config: Config,
  { awaited, health, logged }: ShownParts,
  log: Log
): StatusServer {
  const zone = new Zone(config.timeZone)
  const server = new StatusServer(
    world,
    config,
    {
      report: () => health.report(),
      verdict: (report) => health.verdict(report),
      onChange: (listener) => health.onChange(listener),
      journal: () => awaited.running?.journal,
      captures: () => awaited.running?.captures.status(),
      sync: () => awaited.running?.sync.status(),
      students: () => awaited.running?.graphs.students(),
      inTerm: (atMs) => isInTerm(config.terms, zone.wallMs(atMs * 1000)),
      logged,
      versions: { node: versions.node, v8: versions.v8 }
    },
    log
  )
  server.start()
  // Who stops it is told why there is no journal.
  void awaited.opened.then(() => server.opened(awaited.journal)).catch(() => {})
  return server
}
