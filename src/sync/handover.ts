import type { SealedFolder } from '../captures/sealed.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import { type Ms, sleep, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { FarSide, type SendOptions } from './far-side.ts'
import { confirmedBelow, type Handed, type HandedFolders, nameOf } from './handed.ts'
import type { SyncPaths } from './paths.ts'
import { parseReceipt, proofOf } from './receipt.ts'
import type { SyncState } from './state.ts'
import type { TakeStep } from './step.ts'

/** Receipts are looked for so long after something was sent; later ones are found by the next pass. */
const LOOKS_MS = [1000, 2000, 4000, 8000, 16_000, 32_000]

/** What is handed over, and who is told of it. */
export interface Surroundings {
  readonly sealed: () => Promise<SealedFolder[]>
  /** Where a sealed folder is, or was. */
  readonly pathOf: (folder: Pick<Handed, 'capture' | 'folder'>) => string
  /** Whether a capture is of all streams. */
  readonly isWhole: (capture: string) => boolean
  /** The primary has this folder, hashes and all. */
  readonly confirmed: (folder: Handed) => Promise<void>
  /** It is not here any more. */
  readonly removed: (folder: Handed) => Promise<void>
  /** The time, where it is certain. */
  readonly certainUs: () => Us | undefined
  /** The primary has everything in the journal before this position. */
  readonly confirmJournal: (position: number) => Promise<void>
  /** The first position that is in the journal. */
  readonly firstPosition: () => number
  /** What of the journal should have been erased and lies on a disk that is away, in words. */
  readonly unerased: () => readonly string[]
  readonly step?: TakeStep
  /** How everything stands here, for who looks after the primary; `undefined` where nobody judges. */
  readonly verdict: () => object | undefined
}

/** What one pass came to; folders by name, like `daily/2026-03-29`. */
export interface Report {
  readonly sent: readonly string[]
  readonly confirmed: readonly string[]
  /** Sent, and not confirmed yet. */
  readonly waiting: readonly string[]
  /** What the primary has of them is not what was sent, or nothing. */
  readonly differing: readonly string[]
  /** What `erase_after` cannot reach, in words; absent where there is nothing. */
  readonly unerased?: readonly string[]
}

export interface PassOptions extends Pick<SendOptions, 'signal'> {
  /** Ask the primary to hash anew what it has. */
  readonly recheck?: boolean
  readonly progress?: (name: string, share: number) => void
}

/** Hands sealed folders over, one after the other, and believes nothing but receipts. */
export class Handover {
  readonly #world: World
  readonly #config: Config
  readonly #paths: SyncPaths
  readonly #far: FarSide
  readonly #folders: HandedFolders
  readonly #state: SyncState
  readonly #around: Surroundings
  readonly #log: Log
  readonly #step: TakeStep

  constructor(
    world: World,
    config: Config,
    kept: { paths: SyncPaths; folders: HandedFolders; state: SyncState },
    around: Surroundings,
    log: Log
  ) {
    this.#world = world
    this.#config = config
    this.#paths = kept.paths
    this.#folders = kept.folders
    this.#state = kept.state
    this.#far = new FarSide(world, config, kept.paths)
    this.#around = around
    this.#log = log
    this.#step = around.step ?? (() => {})
  }

  /** @throws what kept it from the primary, as an UNDERSTUDY_SYNC_… */
  async pass(options: PassOptions): Promise<Report> {
    const { signal } = options
    const unsent = await this.#unsent()
    await this.#step('on record')
    const recheck = options.recheck === true || this.#recheckIsDue()
    const before = new Set(this.#confirmed().map(nameOf))
    if (unsent.length > 0 || recheck || this.#waiting().length > 0) {
      await this.#far.prepare()
      await this.#far.probe(signal)
      for (const sealed of unsent) await this.#send(sealed, options)
      const news = recheck || this.#isNews()
      if (news) await this.#note(recheck, signal)
      await this.#collect(news, signal)
    }
    const { isWhole, firstPosition } = this.#around
    const unerased = this.#around.unerased()
    await this.#around.confirmJournal(confirmedBelow(this.#folders.all(), isWhole, firstPosition()))
    await this.#step('journal told')
    const all = this.#folders.all()
    return {
      sent: unsent.map(nameOf),
      confirmed: this.#confirmed()
        .map(nameOf)
        .filter((name) => !before.has(name)),
      waiting: this.#waiting().map(nameOf),
      differing: all.filter(({ fault }) => fault !== undefined).map(nameOf),
      ...(unerased.length > 0 && { unerased })
    }
  }

  /** What is here and not there, oldest first. What was found to be gone there is sent again. */
  async #unsent(): Promise<SealedFolder[]> {
    const found: SealedFolder[] = []
    for (const sealed of await this.#around.sealed()) {
      const { sentMs, fault } = await this.#folders.of(sealed)
      if (sentMs === undefined || fault === 'gone') found.push(sealed)
    }
    return found.sort((a, b) => a.manifest.sealedUs - b.manifest.sealedUs)
  }

  #confirmed(): Handed[] {
    return this.#folders.all().filter(({ confirmedMs, fault }) => confirmedMs !== undefined && fault === undefined)
  }

  /** What a receipt is to come for, or one that follows the last request. */
  #waiting(): Handed[] {
    const asked = this.#state.asked?.id ?? ''
    return this.#folders.all().filter(({ sentMs, confirmedMs, recheck = '', fault }) => {
      if (sentMs === undefined) return false
      return fault === 'differs' || confirmedMs === undefined || (fault === undefined && recheck < asked)
    })
  }

  async #send(sealed: SealedFolder, { signal, progress }: PassOptions): Promise<void> {
    const name = nameOf(sealed)
    const handed = await this.#folders.of(sealed)
    const attempt = handed.attempts + 1
    // On the disk first: an attempt never goes where another has been.
    await this.#folders.put({ ...handed, attempts: attempt })
    await this.#step('attempt on record')
    const onProgress = progress && { progress: (share: number): void => progress(name, share) }
    await this.#far.send(sealed.path, name, attempt, { signal, step: this.#step, ...onProgress })
    const { fault: _, confirmedMs: __, ...rest } = handed
    await this.#folders.put({ ...rest, attempts: attempt, sentMs: this.#nowMs() })
    await this.#step('sent on record')
    this.#log.info({ folder: name, bytes: handed.bytes }, 'a sealed folder was sent to the primary')
  }

  #recheckIsDue(): boolean {
    const { asked } = this.#state
    const confirmed = this.#confirmed()
    const lastMs = asked?.atMs ?? Math.min(...confirmed.map(({ confirmedMs }) => confirmedMs!))
    return confirmed.length > 0 && Math.abs(this.#nowMs() - lastMs) >= this.#config.sync.recheckMs
  }

  /** Whether something was sent that the primary has not been told of, perhaps before a restart. */
  #isNews(): boolean {
    const { notedMs = 0 } = this.#state.current
    return this.#waiting().some(({ sentMs, confirmedMs }) => confirmedMs === undefined && sentMs! >= notedMs)
  }

  /** A small dated file that says how things stand, and may ask the primary to hash anew. */
  async #note(recheck: boolean, signal: AbortSignal): Promise<void> {
    const all = this.#folders.all()
    const time = new Date(this.#nowMs()).toISOString().replaceAll(/[-:.]/g, '')
    const id = recheck ? `${time}-recheck` : time
    const confirmed = this.#confirmed().length
    const waiting = all.filter(({ confirmedMs, removed }) => confirmedMs === undefined && removed === undefined).length
    const verdict = this.#around.verdict()
    const notes = {
      [id]: { site: this.#config.site, time, confirmed, waiting },
      ...(verdict && { [`${time}-verdict.json`]: verdict })
    }
    await this.#far.leave(notes, signal)
    const notedMs = this.#nowMs()
    await this.#state.put({ ...this.#state.current, notedMs, ...(recheck && { asked: { id, atMs: notedMs } }) })
    await this.#step('noted')
  }

  /** Fetches receipts, for a while where new ones are to be expected, and takes them into account. */
  async #collect(patiently: boolean, signal: AbortSignal): Promise<void> {
    for (const waitMs of patiently ? [0, ...LOOKS_MS] : [0]) {
      await sleep(this.#world.timers, waitMs, signal)
      await this.#far.fetchReceipts(signal)
      await this.#step('receipts fetched')
      for (const folder of this.#folders.all()) if (folder.sentMs !== undefined) await this.#compare(folder)
      if (this.#waiting().every(({ fault }) => fault === 'differs')) return
    }
  }

  async #compare(folder: Handed): Promise<void> {
    const { files } = this.#world
    const path = `${this.#paths.receipts}/${nameOf(folder)}.sha256`
    const known = folder.confirmedMs !== undefined || folder.fault !== undefined
    if (!(await files.info(path))) return known ? this.#suspect(folder, 'gone') : undefined
    const { recheck, sums } = parseReceipt((await files.readFile(path)).toString())
    if (proofOf(sums) !== folder.proof) return this.#suspect(folder, 'differs')
    if (folder.confirmedMs !== undefined && folder.fault === undefined && folder.recheck === recheck) return
    const { fault: _, ...rest } = folder
    const confirmed = { ...rest, confirmedMs: folder.confirmedMs ?? this.#nowMs(), recheck }
    await this.#around.confirmed(confirmed)
    await this.#step('ledger told')
    await this.#folders.put(confirmed)
    await this.#step('confirmed on record')
    if (folder.confirmedMs === undefined)
      this.#log.info({ folder: nameOf(folder) }, 'the primary has confirmed a folder')
  }

  async #suspect(folder: Handed, fault: 'differs' | 'gone'): Promise<void> {
    if (folder.fault === fault) return
    await this.#folders.put({ ...folder, fault })
    this.#log.error({ folder: nameOf(folder), fault }, 'the primary does not have a folder as it was handed over')
  }

  #nowMs(): Ms {
    return Math.floor(this.#world.clock.wallUs() / 1000)
  }
}
