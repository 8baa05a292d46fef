import type { EventEntry, Frame, Position, Sealed } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Place, Positions } from '../journal/reading.ts'
import type { Log } from '../log.ts'
import type { Files } from '../world/files.ts'
import type { Us } from '../world/time.ts'
import { isNewerFolder } from './manifest.ts'
import type { Window } from './schedule.ts'
import { capturesPath, foldersIn, type SealedFolder, sealedFolder } from './sealed.ts'

/** A sealed folder as the ledger has it. */
export interface LedgerEntry extends Sealed {
  /** Its hashes have been confirmed from the far side. */
  readonly confirmed: boolean
  /** It is not here any more. */
  readonly removed: boolean
  /** It went with a former data folder, and is not known to be elsewhere: what was in it is sealed anew, beside it. */
  readonly lost?: true
}

/** A window some of whose frames are in no folder yet. */
export interface OpenWindow extends Window {
  /** The first of these frames. */
  readonly first: Position
}

/** How far the journal has been gone through, and what was found in it. */
export interface Progress {
  readonly place: Place
  /** By capture. */
  readonly open: Readonly<Record<string, readonly OpenWindow[]>>
  /** The first frame of each capture that is in no window of it. */
  readonly outside: Readonly<Record<string, Position>>
  /** When each capture began: its first window holds this time. */
  readonly begun: Readonly<Record<string, Us>>
  /** The time when it was last known. */
  readonly knownUs?: Us
  /** For how long the time has not been known since then, monotonic time over all processes. */
  readonly unknownUs: Us
  /** The same since something was last sealed without it. */
  readonly heldUs: Us
}

const READER = 'captures'
const STATE = 'state'
const FOLDER = 'folder/'

/**
 * What has been sealed, and what of it is elsewhere too. It lies in the readers' store, with the place up to which the
 * journal has been gone through; where that is lost, it is made anew from the journal's events, and what those do not tell
 * any more from the folders themselves.
 */
export class Ledger {
  readonly #journal: Journal
  readonly #files: Files
  readonly #directory: string
  /** By capture and folder. */
  readonly #folders = new Map<string, Map<string, LedgerEntry>>()
  /** Those of a capture in order, as long as they are the same. */
  readonly #inOrder = new Map<string, readonly LedgerEntry[]>()
  #progress: Progress | undefined

  private constructor(journal: Journal, files: Files, directory: string) {
    this.#journal = journal
    this.#files = files
    this.#directory = directory
  }

  static async open(journal: Journal, files: Files, directory: string, log: Log): Promise<Ledger> {
    const ledger = new Ledger(journal, files, directory)
    for (const [, value] of await journal.readers.entries(READER, FOLDER)) {
      ledger.#set(JSON.parse(value.toString()) as LedgerEntry)
    }
    const state = await journal.readers.get(READER, STATE)
    if (state) ledger.#progress = JSON.parse(state.toString()) as Progress
    else await ledger.#learn()
    await ledger.#adopt(log)
    return ledger
  }

  /** Absent before it was first kept. */
  get progress(): Progress | undefined {
    return this.#progress
  }

  /** What was sealed of a capture, in the order in which it was. */
  entries(capture: string): readonly LedgerEntry[] {
    const known = this.#inOrder.get(capture)
    if (known) return known
    const entries = [...(this.#folders.get(capture)?.values() ?? [])].sort(
      (a, b) => a.before - b.before || a.completeBelow - b.completeBelow || (a.folder < b.folder ? -1 : 1)
    )
    this.#inOrder.set(capture, entries)
    return entries
  }

  find(capture: string, folder: string): LedgerEntry | undefined {
    return this.#folders.get(capture)?.get(folder)
  }

  /** The folders of a window: the first, and its supplements. */
  parts(capture: string, label: string): LedgerEntry[] {
    const parts: LedgerEntry[] = []
    for (let number = 1; ; number++) {
      const part = this.find(capture, folderName(label, number))
      if (!part) return parts
      parts.push(part)
    }
  }

  /** Folders that were sealed without any time. */
  undated(capture: string): LedgerEntry[] {
    return [...(this.#folders.get(capture)?.values() ?? [])].filter(({ undated }) => undated !== undefined)
  }

  /** The beginning of the latest window that was sealed. */
  latestUs(capture: string): Us | undefined {
    let latestUs: Us | undefined
    for (const { window } of this.#folders.get(capture)?.values() ?? []) {
      if (window) latestUs = Math.max(window.fromUs, latestUs ?? window.fromUs)
    }
    return latestUs
  }

  /** Puts on record that a folder has been sealed, and how far the journal has been gone through with that. */
  async sealed(folder: SealedFolder, progress: Progress): Promise<void> {
    const sealed = recordOf(folder)
    this.#journal.note({ event: 'sealed', ...sealed })
    this.#set({ ...sealed, confirmed: false, removed: false })
    await this.keep(progress, [sealed])
  }

  /** Keeps how far the journal has been gone through. */
  async keep(progress: Progress, changed: ReadonlyArray<Pick<Sealed, 'capture' | 'folder'>> = []): Promise<void> {
    this.#progress = progress
    await this.#journal.readers.commit(READER, progress.place, [
      [STATE, Buffer.from(JSON.stringify(progress))],
      ...changed.map(({ capture, folder }) => {
        const entry = this.find(capture, folder)
        return [`${FOLDER}${capture}/${folder}`, entry && Buffer.from(JSON.stringify(entry))] as const
      })
    ])
  }

  /**
   * A folder is elsewhere too: its hashes have been confirmed.
   * @returns whether it is this folder that was sealed
   */
  async confirmed(capture: string, folder: string, manifestSha256: string): Promise<boolean> {
    const entry = this.find(capture, folder)
    if (entry?.manifestSha256 !== manifestSha256) return false
    if (!entry.confirmed) {
      this.#journal.note({ event: 'confirmed', capture, folder, manifestSha256 })
      await this.#change(entry, { confirmed: true })
    }
    return true
  }

  /** A folder is not here any more, and will not be made again. */
  async removed(capture: string, folder: string): Promise<void> {
    const entry = this.find(capture, folder)
    if (!entry || entry.removed) return
    this.#journal.note({ event: 'freed', capture, folder, confirmed: entry.confirmed })
    await this.#change(entry, { removed: true })
  }

  async #change(entry: LedgerEntry, change: Partial<LedgerEntry>): Promise<void> {
    this.#set({ ...entry, ...change })
    await this.keep(this.#progress ?? { ...beginning, place: { position: this.#journal.firstPosition } }, [entry])
  }

  #set(entry: LedgerEntry): void {
    this.#inOrder.delete(entry.capture)
    const folders = this.#folders.get(entry.capture)
    if (folders) folders.set(entry.folder, entry)
    else this.#folders.set(entry.capture, new Map([[entry.folder, entry]]))
  }

  /** From the journal's events. */
  async #learn(): Promise<void> {
    const begun: Record<string, Us> = {}
    const { adoptedBelow } = this.#journal
    for await (const { event, position } of this.#journal.events()) {
      if (event.event === 'capture') begun[event.capture] = event.beginUs
      else if (event.event === 'sealed') {
        const isFormer = position < adoptedBelow && !(await this.#isHere(event))
        this.#set({ ...withoutName(event), confirmed: false, removed: isFormer, ...(isFormer && { lost: true }) })
      } else if (event.event === 'confirmed') {
        const entry = this.find(event.capture, event.folder)
        if (entry?.manifestSha256 === event.manifestSha256) this.#set({ ...found(entry), confirmed: true })
      } else if (event.event === 'freed') {
        const entry = this.find(event.capture, event.folder)
        if (entry) this.#set({ ...found(entry), removed: true })
      }
    }
    const all = [...this.#folders.values()].flatMap((folders) => [...folders.values()])
    // When a capture began may have been told of in a store that is gone.
    if (all.length === 0 && Object.keys(begun).length === 0) return
    await this.keep({ ...beginning, place: { position: this.#journal.firstPosition }, begun }, all)
  }

  async #isHere({ capture, folder }: Sealed): Promise<boolean> {
    return (await this.#files.info(`${capturesPath(this.#directory)}/${capture}/${folder}`)) !== undefined
  }

  /** What was sealed and could not be put on record any more. */
  async #adopt(log: Log): Promise<void> {
    const root = capturesPath(this.#directory)
    for (const capture of await foldersIn(this.#files, root)) {
      for (const folder of await foldersIn(this.#files, `${root}/${capture}`)) {
        if (this.find(capture, folder)) continue
        const found = await sealedFolder(this.#files, this.#directory, capture, folder)
        if (!found && (await isNewerFolder(this.#files, `${root}/${capture}/${folder}`)))
          log.error({ capture, folder }, 'a folder was sealed by a newer release; it is left as it is')
        if (!found || found.manifest.capture !== capture || found.manifest.folder !== folder) continue
        const sealed = recordOf(found)
        this.#journal.note({ event: 'sealed', ...sealed })
        this.#set({ ...sealed, confirmed: false, removed: false })
        log.info({ capture, folder }, 'a sealed folder was found that was not on record')
        if (this.#progress) await this.keep(afterSealing(this.#progress, sealed), [sealed])
      }
    }
  }
}

export const beginning: Omit<Progress, 'place'> = { open: {}, outside: {}, begun: {}, unknownUs: 0, heldUs: 0 }

/** The name of a window's folder, or of a supplement to it. */
export function folderName(label: string, number: number): string {
  return number === 1 ? label : `${label}-${number}`
}

/** Whether a frame is in a sealed folder that is here, or was confirmed or freed. */
export function holds(entry: LedgerEntry, { position }: Frame, timeUs: Us): boolean {
  const { window, undated, before, missing, lost } = entry
  if (lost) return false
  if (missing.some(({ from, to }) => position >= from && position < to)) return false
  if (undated) return position >= undated.from && position < undated.to
  return window !== undefined && position < before && timeUs >= window.fromUs && timeUs < window.toUs
}

/** What is left to do of a capture when a folder of it has been sealed. */
export function afterSealing(progress: Progress, { capture, window, before }: Sealed): Progress {
  if (!window) return progress
  const open = progress.open[capture] ?? []
  const left = open.filter(({ label, first }) => label !== window.label || first >= before)
  return { ...progress, open: { ...progress.open, [capture]: left } }
}

/** Up to where every frame of a capture is in a folder. */
export function completeBelow({ place, open, outside }: Progress, capture: string): Position {
  const firsts = (open[capture] ?? []).map(({ first }) => first)
  const skipped: readonly Positions[] = place.skipped ?? []
  const rest = outside[capture] ?? place.position
  return Math.min(place.position, rest, ...firsts, ...skipped.map(({ from }) => from))
}

function recordOf({ capture, folder, manifestSha256, manifest }: SealedFolder): Sealed {
  const { window, undated, supplements, journal, timeSources } = manifest
  const { before, missing, completeBelow } = journal
  return {
    capture,
    folder,
    ...(window && { window: { label: supplements ?? folder, fromUs: window.fromUs, toUs: window.toUs } }),
    ...(undated && { undated: { from: undated.fromPosition, to: undated.toPosition } }),
    before,
    missing,
    completeBelow,
    ...(timeSources && { timeSources }),
    manifestSha256
  }
}

/** It is known what became of it. */
function found({ lost: _, ...entry }: LedgerEntry): LedgerEntry {
  return entry
}

function withoutName({ event: _, ...sealed }: Extract<EventEntry['event'], { event: 'sealed' }>): Sealed {
  return sealed
}
