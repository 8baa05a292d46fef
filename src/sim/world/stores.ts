import { UnderstudyError } from '../../errors.ts'
import type { Store, Stores } from '../../world/stores.ts'
import type { Clock } from '../../world/time.ts'
import type { Disk } from './disk.ts'
import { locate } from './files.ts'
import { Folder } from './folder.ts'
import { DirectoryNode } from './node.ts'
import type { Process } from './process.ts'
import { SimulatedStore } from './store.ts'
import { readLog, readTable } from './store-files.ts'
import { repairStore } from './store-repair.ts'
import { systemError } from './system-error.ts'

const defaultBufferBytes = 4 << 20

/** Stores in the simulated files of a machine, which behave as LevelDB does, also when things break. */
export class SimulatedStores implements Stores {
  readonly #process: Process
  readonly #mounts: ReadonlyMap<string, Disk>
  readonly #locked: Set<DirectoryNode>
  readonly #clock: Clock

  /** @param locked the folders of the stores that are open anywhere on the machine */
  constructor(process: Process, mounts: ReadonlyMap<string, Disk>, locked: Set<DirectoryNode>, clock: Clock) {
    this.#process = process
    this.#mounts = mounts
    this.#locked = locked
    this.#clock = clock
  }

  open(path: string, options: { create: boolean; writeBufferBytes?: number }): Promise<Store> {
    const bufferBytes = options.writeBufferBytes ?? defaultBufferBytes
    return this.#attempt(path, options.create, (folder, unlock) => {
      // As the real door has it: without CURRENT, LevelDB would take the folder for empty and clear the rest away.
      const old = folder.names().find((name) => name === 'CURRENT' || (options.create && /\.(ldb|log)$/.test(name)))
      if (options.create && old) throw new Error(`${old} is there already`)
      if (!options.create && !old) throw systemError('ENOENT', 'access', `${path}/CURRENT`)
      folder.create('LOCK')
      return new SimulatedStore(this.#process, folder, bufferBytes, options.create, unlock)
    })
  }

  repair(path: string): Promise<void> {
    return this.#attempt(path, false, (folder, unlock) => {
      repairStore(folder)
      unlock()
    })
  }

  /** What looks whole here may yet have a flipped bit: a simulated table has no checksum. */
  damagedTables(path: string, except?: ReadonlySet<string>): Promise<string[]> {
    return this.#read(path, (folder) =>
      folder.names().filter((name) => name.endsWith('.ldb') && !except?.has(name) && !readTable(folder, name).whole)
    )
  }

  fragments(file: string): Promise<Iterable<Buffer>> {
    const slash = file.lastIndexOf('/')
    const name = file.slice(slash + 1)
    return this.#read(file.slice(0, slash), (folder) => {
      const operations = name.endsWith('.log') ? readLog(folder, name) : readTable(folder, name).operations
      return operations.flatMap(([, value]) => value ?? [])
    })
  }

  #read<T>(path: string, read: (folder: Folder) => T): Promise<T> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(0, () => read(this.#folder(disk, inner, false)))
  }

  #attempt<T>(path: string, create: boolean, work: (folder: Folder, unlock: () => void) => T): Promise<T> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(disk.delayUs('sync'), () => {
      let unlock = (): void => {}
      try {
        const folder = this.#folder(disk, inner, create)
        if (this.#locked.has(folder.directory)) throw new UnderstudyError('UNDERSTUDY_STORE_IN_USE', path)
        unlock = this.#lock(folder.directory)
        return work(folder, unlock)
      } catch (cause) {
        unlock()
        if (cause instanceof UnderstudyError) throw cause
        throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', path, { cause })
      }
    })
  }

  #lock(directory: DirectoryNode): () => void {
    this.#locked.add(directory)
    const free = (): void => {
      this.#locked.delete(directory)
      forget()
    }
    const forget = this.#process.atEnd(free)
    return free
  }

  #folder(disk: Disk, path: string, create: boolean): Folder {
    const wallMs = (): number => Math.trunc(this.#clock.wallUs() / 1000)
    disk.checkReading('open', path)
    if (create) {
      let folder = new Folder(disk, disk.root, wallMs)
      for (const name of path.split('/')) if (name) folder = folder.folder(name)
      return folder
    }
    const directory = disk.find(path)
    if (directory instanceof DirectoryNode) return new Folder(disk, directory, wallMs)
    throw systemError(directory ? 'ENOTDIR' : 'ENOENT', 'open', path)
  }
}
