import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { loadModels, type Models } from '../analytics/models.ts'
import type { Config } from '../config/config.ts'
import { systemCode, UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import { sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Assets } from './assets.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { Live } from './live.ts'
import { overview } from './pages/overview.ts'
import { Password } from './password.ts'
import { Snapshots } from './snapshot.ts'
import type { JournalView, StatusSources } from './sources.ts'

const RETRY_MS = 60_000

/** What anybody who asks may take of this machine. */
const limits = { headerBytes: 8192, headersMs: 5000, requestMs: 10_000, idleMs: 30_000, connections: 200 }

/** What answers, and the framework under it: loaded when somebody asks, so that a page nobody looks at costs next to nothing. */
export const loadApp = (): Promise<typeof import('./app.ts')> => import('./app.ts')

/** The page, served as long as it is not stopped. Whatever happens to it, recording goes on. */
export class StatusServer {
  readonly #world: World
  readonly #config: Config
  readonly #sources: StatusSources
  readonly #log: Log
  readonly #snapshots: Snapshots
  readonly #live: Live
  readonly #stopping = new AbortController()
  readonly #leave: Array<() => void> = []
  #url: string | undefined
  #server: Promise<{ port: number; close(): Promise<void> } | undefined> = Promise.resolve(undefined)

  constructor(world: World, config: Config, sources: StatusSources, log: Log) {
    this.#world = world
    this.#config = config
    this.#sources = sources
    this.#log = log
    this.#snapshots = new Snapshots(world, config, sources)
    this.#live = new Live(world.timers, async () => overview(await this.#snapshots.take()), log)
  }

  start(): void {
    this.#leave.push(this.#sources.onChange(() => this.#live.happened()))
    this.#server = this.#serve()
  }

  /** From now on what the journal takes is counted, and told. */
  opened(journal: JournalView): void {
    const { activity } = this.#snapshots
    void activity.start(journal)
    const told = journal.onCommit(() => {
      activity.look()
      this.#live.happened()
    })
    this.#leave.push(told)
  }

  /** Resolves when it is served, or is not to be any more. */
  async served(): Promise<void> {
    await this.#server
  }

  /** Where it is, while it is served. */
  get url(): string | undefined {
    return this.#url
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#snapshots.activity.stop()
    for (const leave of this.#leave) leave()
    this.#live.close()
    await (await this.#server)?.close()
  }

  async #serve(): Promise<{ port: number; close(): Promise<void> } | undefined> {
    const { address, port } = this.#config.status
    const { signal } = this.#stopping
    while (port !== 0 && !signal.aborted) {
      try {
        const server = await this.#listen()
        this.#url = `http://${address.includes(':') ? `[${address}]` : address}:${server.port}/`
        this.#log.info({ url: this.#url }, 'the status page is served')
        return server
      } catch (error) {
        const detail = `${address}:${port}: ${systemCode(error) ?? 'unknown'}`
        const told =
          error instanceof UnderstudyError
            ? error
            : new UnderstudyError('UNDERSTUDY_STATUS_LISTEN', detail, { cause: error })
        this.#log.warn({ code: told.code, err: error }, told.message)
        await sleep(this.#world.timers, RETRY_MS, signal)
      }
    }
    return undefined
  }

  async #listen(): Promise<{ port: number; close(): Promise<void> }> {
    const { files, sockets } = this.#world
    const { status, data, primary } = this.#config
    const passwordFile = status.passwordFile ?? join(data.directory, 'status-password')
    const door = new Doorkeeper(await Password.open(this.#world, passwordFile), this.#world)
    const assets = await Assets.load(files)
    let models: Promise<Models> | undefined
    const parts = {
      config: this.#config,
      passwordFile,
      files,
      sources: this.#sources,
      snapshots: this.#snapshots,
      live: this.#live,
      door,
      assets,
      models: () => {
        models ??= loadModels(files, primary.compPath)
        return models
      },
      log: this.#log
    }
    let app: Promise<FastifyInstance> | undefined
    const load = async (): Promise<FastifyInstance> => {
      const { buildApp } = await loadApp()
      const built = buildApp(parts)
      await built.ready()
      return built
    }
    const listener = await sockets.listen(
      { host: status.address, port: status.port, ...limits },
      (request, response) => {
        app ??= load()
        void app.then(({ routing }) => routing(request, response))
      }
    )
    return {
      port: listener.port,
      close: async () => {
        await listener.close()
        await (await app)?.close()
      }
    }
  }
}
