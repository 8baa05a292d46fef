import { isDeepStrictEqual } from 'node:util'
import { systemCode } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Timer } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Config } from './config.ts'
import { type Found, listCredentials, type Problem, problemOf, readCredentials } from './credentials.ts'
import { addSockets, keepGood, unmatched } from './gather.ts'
import { streamMatcher } from './patterns.ts'

const lookMs = 5000

/**
 * Finds the streams to record, and notices when credential files come, change or go.
 *
 * It looks every 5 s instead of being told: inotify misses network mounts and FAT sticks. A change is read when two
 * looks in a row have seen the same, so that a file is not read half written. A bad file never replaces a good one:
 * a stream stays as it was until its files are good again or both are gone.
 */
export class Discovery {
  readonly #world: Pick<World, 'files' | 'timers'>
  readonly #streams: Config['streams']
  readonly #log: Log
  readonly #wanted: (stream: string) => boolean
  #timer: Timer | undefined
  #found: Found = { sources: [], problems: [], tokens: new Map() }
  /** What the last look saw of the folder, and what was seen when a look last read all of it. */
  #seen = ''
  #read = ''

  constructor(world: Pick<World, 'files' | 'timers'>, config: Pick<Config, 'streams'>, log: Log) {
    this.#world = world
    this.#streams = config.streams
    this.#log = log
    this.#wanted = config.streams.only.length > 0 ? streamMatcher(config.streams.only) : () => true
  }

  /** The streams as they are now. Never rejects for what it reads: that is among the problems. */
  async read(): Promise<Found> {
    this.#take(await this.#readFolder())
    return this.#found
  }

  /** Looks every 5 s from now on, and tells when what is found is not what it was. */
  watch(onChange: (found: Found) => void): void {
    const timer = this.#world.timers.after(lookMs, () => {
      void this.#look().then((folder) => {
        if (this.#timer !== timer) return
        this.watch(onChange)
        const before = this.#found
        if (folder) this.#take(folder)
        if (!isDeepStrictEqual(this.#found, before)) onChange(this.#found)
      })
    })
    this.#timer = timer
  }

  /** Ends the watching. A look under way is left to end unheard: it only reads, and a network mount may hang. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** What the folder holds when it has changed since the last such reading and stood still since the last look. */
  async #look(): Promise<Found | Problem | undefined> {
    const seen = await this.#fingerprint()
    const still = seen === this.#seen
    this.#seen = seen
    if (!still || seen === this.#read) return undefined
    const folder = await this.#readFolder()
    if ((await this.#fingerprint()) !== seen) return undefined
    // What could not be read may become readable without looking any different (a chown, a disk that recovers).
    const problems = 'sources' in folder ? folder.problems : []
    if (problems.every(({ code }) => code !== 'UNDERSTUDY_CREDENTIALS_UNREADABLE')) this.#read = seen
    return folder
  }

  async #fingerprint(): Promise<string> {
    const { files } = this.#world
    const directory = this.#streams.credentialsDirectory
    try {
      const names = await listCredentials(files, directory)
      const looks = names.map(async (name) => {
        const info = await files.info(`${directory}/${name}`).catch(systemCode)
        return typeof info === 'object' ? [name, info.kind, info.inode, info.sizeBytes, info.modifiedMs] : [name, info]
      })
      return JSON.stringify(await Promise.all(looks))
    } catch (error) {
      return problemOf(error).detail
    }
  }

  async #readFolder(): Promise<Found | Problem> {
    try {
      return await readCredentials(this.#world.files, this.#streams.credentialsDirectory, this.#wanted)
    } catch (error) {
      const problem = problemOf(error)
      // Who names websockets may well have no such folder.
      return this.#streams.sockets.length > 0 ? { ...problem, severity: 'warning' } : problem
    }
  }

  #take(folder: Found | Problem): void {
    const { only, sockets } = this.#streams
    const logged = new Set(this.#found.problems.map((problem) => JSON.stringify(problem)))
    const kept = keepGood(folder, this.#found)
    const slips = 'sources' in folder ? unmatched(kept, only) : []
    this.#found = addSockets({ ...kept, problems: [...kept.problems, ...slips] }, sockets)
    for (const problem of this.#found.problems) {
      const { code, stream, detail } = problem
      if (!logged.has(JSON.stringify(problem))) this.#log.warn({ code, stream }, detail)
    }
  }
}
