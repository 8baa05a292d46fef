import { UnderstudyError } from '../../src/errors.ts'
import type { OpenFile } from '../../src/world/files.ts'
import type { Store } from '../../src/world/stores.ts'
import type { World } from '../../src/world/world.ts'

/** `EROFS`: nothing can be written. `EIO`: nothing can be done at all, and what was open stays dead. */
type Fault = 'EROFS' | 'EIO'

/**
 * A layer over the doors to files and stores that fails as a disk does, under one folder. A store that has failed once
 * fails for good, as LevelDB does; of the batches that fail, every other one has arrived nevertheless.
 */
export class FaultyDisk {
  readonly world: World
  readonly #folder: string
  #fault: Fault | undefined
  /** How often it has been pulled: what was opened before is dead. */
  #pulls = 0
  #failures = 0

  constructor(world: World, folder: string) {
    this.#folder = folder
    this.world = { ...world, files: this.#files(world), stores: this.#stores(world) }
  }

  fail(fault: Fault): void {
    this.#fault = fault
    if (fault === 'EIO') this.#pulls++
  }

  heal(): void {
    this.#fault = undefined
  }

  #check(path: string, writing: boolean): void {
    if (!path.startsWith(this.#folder) || !this.#fault || (this.#fault === 'EROFS' && !writing)) return
    throw Object.assign(new Error(`${this.#fault}: injected, '${path}'`), { code: this.#fault })
  }

  #files({ files }: World): World['files'] {
    const guard =
      <A extends readonly [string, ...unknown[]], R>(writing: boolean, work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        this.#check(args[0], writing)
        return work(...args)
      }
    return {
      open: async (path, how, mode) => {
        this.#check(path, how !== 'read')
        return this.#file(await files.open(path, how, mode), path)
      },
      readFile: guard(false, files.readFile),
      writeFile: guard(true, files.writeFile),
      list: guard(false, files.list),
      info: guard(false, files.info),
      makeDirectory: guard(true, files.makeDirectory),
      remove: guard(true, files.remove),
      rename: guard(true, files.rename),
      link: guard(true, files.link),
      syncDirectory: guard(true, files.syncDirectory),
      space: guard(false, files.space)
    }
  }

  #file(file: OpenFile, path: string): OpenFile {
    const pulls = this.#pulls
    const check = (writing: boolean): void => {
      if (pulls !== this.#pulls) throw Object.assign(new Error(`EIO: injected, '${path}'`), { code: 'EIO' })
      this.#check(path, writing)
    }
    return {
      read: async (into, position) => {
        check(false)
        return file.read(into, position)
      },
      write: async (data, position) => {
        check(true)
        return file.write(data, position)
      },
      sync: async () => {
        check(true)
        return file.sync()
      },
      close: () => file.close()
    }
  }

  #stores({ stores }: World): World['stores'] {
    return {
      ...stores,
      open: async (directory, options) => {
        try {
          this.#check(directory, true)
        } catch (cause) {
          throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', directory, { cause })
        }
        return this.#store(await stores.open(directory, options), directory)
      }
    }
  }

  #store(store: Store, directory: string): Store {
    const pulls = this.#pulls
    let dead: unknown
    const check = (writing: boolean): void => {
      if (pulls !== this.#pulls) dead ??= Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      this.#check(directory, writing)
      if (dead) throw dead
    }
    return {
      get: async (key) => {
        check(false)
        return store.get(key)
      },
      batch: async (operations, options) => {
        try {
          check(true)
        } catch (error) {
          if (!dead && this.#failures++ % 2 === 0) await store.batch(operations, options)
          dead = error
          throw error
        }
        return store.batch(operations, options)
      },
      scan(range) {
        const scan = store.scan(range)
        return {
          next: async (count) => {
            check(false)
            return scan.next(count)
          },
          close: () => scan.close()
        }
      },
      compact: async () => {
        check(true)
        return store.compact()
      },
      close: () => store.close()
    }
  }
}
