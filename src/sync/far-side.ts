import type { Config } from '../config/config.ts'
import { UnderstudyError } from '../errors.ts'
import { writeDurably } from '../world/files.ts'
import type { RunOptions } from '../world/programs.ts'
import type { World } from '../world/world.ts'
import { failureOf } from './failures.ts'
import { type PublicKeys, prepareKeys } from './keys.ts'
import type { SyncPaths } from './paths.ts'
import { type Ended, start } from './run-program.ts'
import { sshConfig } from './ssh-config.ts'
import type { TakeStep } from './step.ts'

/** However slow the way is: what has come so far stays, and the next attempt goes on there. */
const SEND_MS = 12 * 3_600_000
const SHORT_MS = 600_000
/** Without a byte for so long the connection is dead. */
const SILENCE_S = 120
/** What the probe ends with where its key may do more than it should. */
const UNRESTRICTED = 42
/** rsync takes at most 20 folders to build upon. */
const EARLIER = 19

export interface SendOptions {
  readonly signal: AbortSignal
  /** @param share of what is to be sent, from 0 to 1 */
  readonly progress?: (share: number) => void
  readonly step: TakeStep
}

/**
 * The primary, as it is reached by rsync over ssh. Both keys are limited there to one folder each: the upload key may
 * only add to that of this site, the other may only read its receipts. So all paths are within these.
 */
export class FarSide {
  readonly #world: World
  readonly #config: Config
  readonly #paths: SyncPaths

  constructor(world: World, config: Config, paths: SyncPaths) {
    this.#world = world
    this.#config = config
    this.#paths = paths
  }

  /** Makes what ssh needs. @throws UNDERSTUDY_SYNC_NO_TARGET, UNDERSTUDY_SYNC_NO_PROGRAM, UNDERSTUDY_SYNC_KEYS */
  async prepare(): Promise<PublicKeys> {
    const { site, sync } = this.#config
    if (sync.target === undefined) throw new UnderstudyError('UNDERSTUDY_SYNC_NO_TARGET')
    await this.#world.files.makeDirectory(this.#paths.directory, 0o750)
    const keys = await prepareKeys(this.#world, site, this.#paths)
    await writeDurably(this.#world.files, this.#paths.sshConfig, sshConfig(sync.target, sync, this.#paths))
    return keys
  }

  /**
   * Connects with both keys, and proves that neither can run a command there.
   * @throws UNDERSTUDY_SYNC_UNRESTRICTED, or why it cannot be connected to
   */
  async probe(signal: AbortSignal): Promise<void> {
    for (const key of ['upload', 'receipts'] as const) {
      const args = ['-F', this.#paths.sshConfig, key, `exit ${UNRESTRICTED}`]
      const ended = await this.#run('ssh', args, { timeoutMs: SHORT_MS, signal })
      if (ended.code === UNRESTRICTED) throw new UnderstudyError('UNDERSTUDY_SYNC_UNRESTRICTED', `the key for ${key}`)
      if (ended.code === 255 || ended.code === -1) throw failureOf(ended, `connecting for ${key}`)
    }
  }

  /**
   * Sends a sealed folder. It grows in a hidden place, where an attempt that is cut leaves what has come, and the next
   * one builds upon that; then it is linked into its own, the manifest last: a folder with a manifest is whole.
   * `--partial-dir` would do this alone, but an append-only rrsync refuses it.
   * @param name as `daily/2026-03-29`
   * @param attempt 1 for the first
   */
  async send(path: string, name: string, attempt: number, { signal, progress, step }: SendOptions): Promise<void> {
    const hidden = `.partial/${name}`
    const earlier = Array.from({ length: Math.min(attempt - 1, EARLIER) }, (_, i) => `/${hidden}/${attempt - 1 - i}`)
    const { bandwidthBytes } = this.#config.sync
    // rsync counts in KiB, and takes 0 for no limit.
    const limit = bandwidthBytes === undefined ? [] : [`--bwlimit=${Math.max(1, Math.floor(bandwidthBytes / 1024))}`]
    const onto = (folders: readonly string[]): string[] => folders.map((folder) => `--link-dest=${folder}`)
    const send = async (what: string, options: string[], to: string): Promise<void> => {
      const common = ['--mkpath', '--fsync', '--checksum', '--no-inc-recursive', '--info=progress2', ...limit]
      const onOutput = (text: string): void => {
        const percent = text.match(/\d+(?=%)/g)?.at(-1)
        if (percent !== undefined) progress?.(Number(percent) / 100)
      }
      await this.#rsync(what, [...common, ...options, `${path}/`, `upload:${to}/`], {
        timeoutMs: SEND_MS,
        signal,
        onOutput
      })
    }
    await send('sending', ['--partial', ...onto(earlier)], `${hidden}/${attempt}`)
    await step('arrived')
    const here = onto([`/${hidden}/${attempt}`])
    await send('putting into place', ['--exclude=/manifest.json', ...here], name)
    await step('in place')
    await send('sending the manifest', here, name)
    await step('sent')
  }

  /** Leaves small dated notes, by name, which also wakes the primary's receipts. */
  async leave(notes: Readonly<Record<string, object>>, signal: AbortSignal): Promise<void> {
    const { files } = this.#world
    const { outbox } = this.#paths
    await files.remove(outbox)
    await files.makeDirectory(outbox, 0o750)
    for (const [name, content] of Object.entries(notes)) {
      await files.writeFile(`${outbox}/${name}`, `${JSON.stringify(content)}\n`, 0o644)
    }
    await this.#rsync('sending a note', ['--mkpath', `${outbox}/`, 'upload:.notes/'], { timeoutMs: SHORT_MS, signal })
  }

  /** Fetches all receipts there are now. */
  async fetchReceipts(signal: AbortSignal): Promise<void> {
    const options = ['--checksum', '--delete', '--max-size=16m']
    const args = [...options, 'receipts:./', `${this.#paths.receipts}/`]
    await this.#rsync('fetching receipts', args, { timeoutMs: SHORT_MS, signal }, 'near')
  }

  async #rsync(
    what: string,
    args: string[],
    options: RunOptions & { readonly signal: AbortSignal },
    writer: 'far' | 'near' = 'far'
  ): Promise<void> {
    const shell = `ssh -F "${this.#paths.sshConfig}"`
    const always = ['--recursive', '--times', `--timeout=${SILENCE_S}`, `--rsh=${shell}`]
    const ended = await this.#run('rsync', [...always, ...args], options)
    if (ended.code !== 0) throw failureOf(ended, what, writer)
  }

  async #run(command: string, args: string[], options: RunOptions & { readonly signal: AbortSignal }): Promise<Ended> {
    const ended = await start(this.#world, command, args, options)
    options.signal.throwIfAborted()
    return ended
  }
}
