import type { SealedFolder } from '../captures/sealed.ts'
import type { Config } from '../config/config.ts'
import { folderBytes } from '../journal/folder-bytes.ts'
import type { Removable } from '../journal/retention.ts'
import type { Log } from '../log.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { erasedBeforeUs } from './erased-before.ts'
import { type Handed, type HandedFolders, nameOf } from './handed.ts'
import type { Surroundings } from './handover.ts'

const DAY_US = 86_400_000_000
/** So long before it is erased, it is announced. */
const NOTICE_US = 30 * DAY_US

/** A folder that is going to be erased. */
export interface Announced {
  readonly name: string
  readonly atMs: Ms
  /** Whether the primary has it. */
  readonly confirmed: boolean
}

/** A sealed folder that is here, with what is known of its handing over. */
interface Here {
  readonly sealed: SealedFolder
  readonly handed: Handed
}

/**
 * Removes sealed folders here, the oldest first. For a limit only those that the primary has confirmed; the others where
 * the disk is full and nothing that is confirmed is left; for the declared erasure any, and that is announced 30 days
 * before.
 */
export class Keeping {
  readonly #world: World
  readonly #sync: Config['sync']
  readonly #folders: HandedFolders
  readonly #around: Surroundings
  readonly #log: Log
  #announced: readonly Announced[] = []
  #announcedUs: Us = 0

  constructor(world: World, { sync }: Config, folders: HandedFolders, around: Surroundings, log: Log) {
    this.#world = world
    this.#sync = sync
    this.#folders = folders
    this.#around = around
    this.#log = log
  }

  /** What is erased within 30 days, as of the last look. */
  get announced(): readonly Announced[] {
    return this.#announced
  }

  /** Removes what there is to remove. */
  async run(): Promise<void> {
    await this.#noteMissing()
    const nowUs = this.#around.certainUs()
    let here = await this.#here()
    // A clock that is wrong by years must not age anything.
    if (nowUs !== undefined) {
      here = await this.#erase(here, nowUs)
      this.#announce(here, nowUs)
    }
    const { maxAgeMs, maxBytes = Number.POSITIVE_INFINITY } = this.#sync
    let bytes = 0
    for (const { sealed } of here) bytes += await folderBytes(this.#world.files, sealed.path)
    for (const one of here.filter(({ handed }) => isSafe(handed))) {
      const aged = nowUs !== undefined && maxAgeMs !== undefined && nowUs - one.handed.endUs > maxAgeMs * 1000
      if (!aged && bytes <= maxBytes) continue
      bytes -= await folderBytes(this.#world.files, one.sealed.path)
      await this.#remove(one, 'limit')
      this.#log.info(
        { folder: nameOf(one.handed), reason: aged ? 'max_age' : 'max_size' },
        'removed; the primary has it'
      )
    }
  }

  /** The oldest that the primary has, or that it has not, for where the disk is full. */
  async removable(confirmed: boolean): Promise<Removable | undefined> {
    const next = (await this.#here()).find(({ handed }) => isSafe(handed) === confirmed)
    return (
      next && {
        name: `captures/${nameOf(next.handed)}`,
        bytes: await folderBytes(this.#world.files, next.sealed.path),
        before: next.sealed.manifest.journal.before,
        remove: () => this.#remove(next, confirmed ? 'limit' : 'room')
      }
    )
  }

  /** @returns what is left */
  async #erase(here: readonly Here[], nowUs: Us): Promise<readonly Here[]> {
    const beforeUs = erasedBeforeUs(this.#sync.eraseAfter, nowUs)
    if (beforeUs === undefined) return here
    const due = here.filter(({ handed }) => handed.endUs <= beforeUs)
    if (due.length === 0) return here
    for (const one of due) {
      await this.#remove(one, 'erased')
      this.#log.warn({ folder: nameOf(one.handed), confirmed: isSafe(one.handed) }, 'erased, as erase_after demands')
    }
    const left = here.filter((one) => !due.includes(one))
    const partly = left.filter(({ handed, sealed }) => beginUs(sealed, handed) < beforeUs)
    this.#log.warn({ left: partly.map(({ handed }) => nameOf(handed)) }, 'folders that are left hold later records too')
    return left
  }

  /** In the log once a day, and always in the status. */
  #announce(here: readonly Here[], nowUs: Us): void {
    const { eraseAfter } = this.#sync
    const soonUs = erasedBeforeUs(eraseAfter, nowUs + NOTICE_US)
    const soon =
      eraseAfter === undefined || soonUs === undefined ? [] : here.filter(({ handed }) => handed.endUs <= soonUs)
    this.#announced = soon.map(({ handed }) => {
      const atMs = 'ageMs' in eraseAfter! ? Math.ceil(handed.endUs / 1000) + eraseAfter.ageMs : eraseAfter!.dateMs
      return { name: nameOf(handed), atMs, confirmed: isSafe(handed) }
    })
    if (soon.length === 0 || nowUs - this.#announcedUs < DAY_US) return
    this.#announcedUs = nowUs
    const first = new Date(Math.min(...this.#announced.map(({ atMs }) => atMs))).toISOString()
    const unconfirmed = this.#announced.filter(({ confirmed }) => !confirmed).length
    this.#log.warn({ folders: soon.length, unconfirmed, first }, 'sealed folders are going to be erased within 30 days')
  }

  /** What is here, oldest first. */
  async #here(): Promise<readonly Here[]> {
    const here: Here[] = []
    for (const sealed of await this.#around.sealed()) here.push({ sealed, handed: await this.#folders.of(sealed) })
    return here.sort((a, b) => a.handed.endUs - b.handed.endUs)
  }

  /** First its name, so that no half folder is ever seen. What is on record needs room, so it comes last. */
  async #remove({ sealed, handed }: Here, removed: NonNullable<Handed['removed']>): Promise<void> {
    const { files } = this.#world
    const { step = () => {} } = this.#around
    const parent = sealed.path.slice(0, sealed.path.lastIndexOf('/'))
    const hidden = `${parent}/.${sealed.folder}.removed`
    await files.remove(hidden)
    await files.rename(sealed.path, hidden)
    await files.syncDirectory(parent)
    await step('hidden')
    await files.remove(hidden)
    await step('removed')
    await this.#put({ ...handed, removed })
    await step('removed on record')
  }

  /** What was removed and could not be put on record any more, or by whom ever, is on record from now on. */
  async #noteMissing(): Promise<void> {
    const { files } = this.#world
    for (const handed of this.#folders.all().filter(({ removed }) => removed === undefined)) {
      const path = this.#around.pathOf(handed)
      if (await files.info(path)) continue
      await files.remove(path.replace(/[^/]*$/, `.${handed.folder}.removed`))
      await this.#put({ ...handed, removed: isSafe(handed) ? 'limit' : 'erased' })
    }
  }

  async #put(handed: Handed): Promise<void> {
    await this.#around.removed(handed)
    await this.#folders.put(handed)
  }
}

/** Whether the primary has it as it was sealed, as far as is known. */
function isSafe({ confirmedMs, fault }: Handed): boolean {
  return confirmedMs !== undefined && fault === undefined
}

function beginUs({ manifest }: SealedFolder, { endUs }: Handed): Us {
  return manifest.window?.fromUs ?? endUs
}
