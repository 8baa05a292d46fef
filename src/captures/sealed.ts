import { createHash } from 'node:crypto'
import type { Files } from '../world/files.ts'
import { MANIFEST, type Manifest, manifestOf } from './manifest.ts'

/** A sealed folder as it lies in a data folder. */
export interface SealedFolder {
  readonly capture: string
  /** Its name, e.g. `2026-03-29`. */
  readonly folder: string
  readonly path: string
  /** Of the bytes of its manifest, in hex: that names the whole folder, since the manifest has every file's. */
  readonly manifestSha256: string
  readonly manifest: Manifest
}

/** Where captures lie in a data folder. */
export function capturesPath(directory: string): string {
  return `${directory}/captures`
}

/**
 * The sealed folders of a data folder, by capture and name. What has no manifest, or a name beginning with a dot (as
 * everything that is not finished has), is none.
 */
export async function sealedFolders(
  files: Files,
  directory: string,
  read: (capture: string, folder: string) => Promise<SealedFolder | undefined> = (capture, folder) =>
    sealedFolder(files, directory, capture, folder)
): Promise<SealedFolder[]> {
  const root = capturesPath(directory)
  const found: SealedFolder[] = []
  for (const capture of await foldersIn(files, root)) {
    for (const folder of await foldersIn(files, `${root}/${capture}`)) {
      const sealed = await read(capture, folder)
      if (sealed) found.push(sealed)
    }
  }
  return found
}

/** The same, asked for again and again: what is sealed does not change, so a manifest is read when it is new. */
export class KnownSealed {
  readonly #files: Files
  readonly #directory: string
  readonly #known = new Map<string, { readonly mark: string; readonly sealed: SealedFolder }>()

  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  async all(): Promise<SealedFolder[]> {
    const paths = new Set<string>()
    const found = await sealedFolders(this.#files, this.#directory, async (capture, folder) => {
      const path = `${capturesPath(this.#directory)}/${capture}/${folder}`
      paths.add(path)
      const { inode, modifiedMs, sizeBytes } = (await this.#files.info(`${path}/${MANIFEST}`)) ?? {}
      const mark = `${inode} ${modifiedMs} ${sizeBytes}`
      const known = this.#known.get(path)
      if (known?.mark === mark) return known.sealed
      const sealed = await sealedFolder(this.#files, this.#directory, capture, folder)
      if (sealed) this.#known.set(path, { mark, sealed })
      return sealed
    })
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path)
    return found
  }
}

/** One of them; `undefined` where there is none. */
export async function sealedFolder(
  files: Files,
  directory: string,
  capture: string,
  folder: string
): Promise<SealedFolder | undefined> {
  const path = `${capturesPath(directory)}/${capture}/${folder}`
  const read = await manifestOf(files, path)
  if (!read) return undefined
  const manifestSha256 = createHash('sha256').update(read.bytes).digest('hex')
  return { capture, folder, path, manifestSha256, manifest: read.manifest }
}

/** The names of the folders in a folder, sorted; none where there is no such folder. */
export async function foldersIn(files: Files, path: string): Promise<string[]> {
  if (!(await files.info(path))) return []
  const entries = await files.list(path)
  return entries
    .filter(({ name, kind }) => kind === 'directory' && !name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}
