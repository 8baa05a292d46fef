import { StudentGraphs } from '../analytics/student-graphs.ts'
import { Captures } from '../captures/captures.ts'
import { capturesPath, KnownSealed } from '../captures/sealed.ts'
import type { Config } from '../config/config.ts'
import { UnderstudyError } from '../errors.ts'
import type { EarlyHearing } from '../journal/early-hearing.ts'
import { Journal } from '../journal/journal.ts'
import { isPassing, isWithoutRoom, reasonOf } from '../journal/without-room.ts'
import type { Log } from '../log.ts'
import { erasedBeforeUs } from '../sync/erased-before.ts'
import type { Surroundings } from '../sync/handover.ts'
import { Sync } from '../sync/sync.ts'
import type { World } from '../world/world.ts'
import { serveCommands } from './local/server.ts'
import { chooseSocket } from './local/socket-path.ts'
import type { Recording, Status } from './local/status.ts'
import { recordClock } from './record-clock.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

const RESERVE_BYTES = 32 << 20

export interface ServedOptions {
  readonly config: Config
  readonly user: Pick<Terminal, 'env' | 'uid'>
  /** Kept free on the disk for the moment when it is full. Default 32 MiB. */
  readonly reserveBytes?: number
  /** A recorder's: finished stores are merged, and a journal that is found on the data disk is gone on with. Default false. */
  readonly records?: boolean
  /** For tests: called after each step from a window that is due to its folder that is confirmed, and removed. */
  readonly step?: (step: string) => void
  /** Called at the end of each attempt to hand over. */
  readonly passed?: () => void
}

/** The journal of a data folder, opened for writing, and answering the other commands as long as it is. */
export class ServedJournal {
  readonly journal: Journal
  /** Seals what is due; runs by itself once it is started. */
  readonly captures: Captures
  /** Hands over what is sealed; runs by itself once it is started. */
  readonly sync: Sync
  /** What students have done; read from the journal by itself once it is started. */
  readonly graphs: StudentGraphs
  private readonly server: { close(): Promise<void> }

  private constructor(
    { journal, captures, sync, graphs }: Pick<ServedJournal, 'journal' | 'captures' | 'sync' | 'graphs'>,
    server: { close(): Promise<void> }
  ) {
    this.journal = journal
    this.captures = captures
    this.sync = sync
    this.graphs = graphs
    this.server = server
  }

  /**
   * @param recording what is being recorded into it
   * @param early what was heard before, see `Journal.open`
   * @throws UNDERSTUDY_ALREADY_RUNNING, UNDERSTUDY_NO_ROOM, UNDERSTUDY_DATA_FAILED
   */
  static async open(
    world: World,
    { config, user, reserveBytes = RESERVE_BYTES, records = false, passed = () => {}, step = () => {} }: ServedOptions,
    recording: () => Recording,
    log: Log,
    early?: EarlyHearing
  ): Promise<ServedJournal> {
    const { directory } = config.data
    let opened: Journal | undefined
    try {
      // What root leaves in another's folder, that one's recorder could not open.
      const owner = await world.host.actAsOwnerOf(directory)
      const options = { ...journalOptions(config), reserveBytes, merges: records, adopts: records }
      const journal = await Journal.open(world, options, log, early)
      opened = journal
      const clock = recordClock(world.clock, () => journal.stamp())
      const begunUs = clock.monoUs()
      const captures = new Captures(
        world,
        journal,
        {
          directory,
          site: config.site,
          version,
          captures: config.captures,
          sealedIsConfirmed: config.journal.sealedIsConfirmed,
          step
        },
        log
      )
      const verdict = (): object | undefined => recording().health?.verdict
      const around = { ...syncSurroundings(world, directory, journal, captures, verdict), step }
      const sync = new Sync({ ...world, clock }, config, around, log)
      sync.onPass = passed
      const graphs = new StudentGraphs(world, journal, log)
      const status = (): Omit<Status, 'sync'> => {
        const { firstPosition, nextPosition, pendingBytes, disk } = journal
        const reach = { directory, firstPosition, nextPosition, pendingBytes, disk }
        const own = { journal: reach, graphs: graphs.status, ...recording() }
        const nowUs = clock.wallUs()
        return { version, site: config.site, startedUs: nowUs - (clock.monoUs() - begunUs), nowUs, ...own }
      }
      const runtimeDirectory = owner === undefined ? user.env['XDG_RUNTIME_DIR'] : undefined
      const socket = await chooseSocket(world.files, directory, { runtimeDirectory, uid: owner ?? user.uid })
      const backend = { journal, captures, sync, graphs, status }
      const server = await serveCommands(world, socket, backend)
      return new ServedJournal({ journal, captures, sync, graphs }, server)
    } catch (error) {
      await opened?.close().catch(() => {})
      if (isWithoutRoom(error)) throw new UnderstudyError('UNDERSTUDY_NO_ROOM', directory, { cause: error })
      const isOther = error instanceof UnderstudyError && error.code !== 'UNDERSTUDY_STORE_UNREADABLE'
      if (isOther || !isPassing(error)) throw error
      throw new UnderstudyError('UNDERSTUDY_DATA_FAILED', `${directory}: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** From now on it seals, hands over and computes by itself. */
  start(): void {
    this.captures.start()
    // It also knows of what the primary has lost since it was confirmed.
    this.journal.offerRemovable((confirmed) => this.sync.removable(confirmed))
    this.sync.start()
    this.graphs.start()
  }

  /** Cuts off who asks, commits what is left and closes. */
  async close(): Promise<void> {
    await this.server.close()
    await Promise.all([this.captures.stop(), this.sync.stop(), this.graphs.stop()])
    await this.journal.close()
  }
}

/** What is handed over of a data folder, and who is told of it. */
function syncSurroundings(
  { files }: World,
  directory: string,
  journal: Journal,
  captures: Captures,
  verdict: () => object | undefined
): Surroundings {
  const sealed = new KnownSealed(files, directory)
  return {
    sealed: () => sealed.all(),
    pathOf: ({ capture, folder }) => `${capturesPath(directory)}/${capture}/${folder}`,
    isWhole: (capture) => captures.isWhole(capture),
    certainUs: () => journal.certainUs,
    confirmed: async ({ capture, folder, manifestSha256 }) => {
      await (await captures.ledger()).confirmed(capture, folder, manifestSha256)
    },
    removed: async ({ capture, folder }) => (await captures.ledger()).removed(capture, folder),
    confirmJournal: (position) => journal.confirm(position),
    firstPosition: () => journal.firstPosition,
    unerased: () =>
      journal.unerased.map(({ store, begunUs }) => `store ${store}, begun ${new Date(begunUs / 1000).toISOString()}`),
    verdict
  }
}

function journalOptions({
  data,
  journal,
  clock,
  sync
}: Config): Omit<Parameters<typeof Journal.open>[1], 'reserveBytes'> {
  return {
    directory: data.directory,
    disk: data.disk,
    commitIntervalMs: journal.commitIntervalMs,
    storeBytes: journal.storeSizeBytes,
    storeAgeMs: journal.storeAgeMs,
    clockTrusted: clock.trust,
    retention: {
      minFreeBytes: journal.minFreeBytes,
      maxBytes: journal.maxBytes,
      maxAgeMs: journal.maxAgeMs,
      eraseBefore: (nowUs) => erasedBeforeUs(sync.eraseAfter, nowUs)
    },
    version
  }
}
