import { compressionOf, type Doors, readCompressed } from './compressed-file.ts'
import { areSameDigests, type Digests } from './digests.ts'
import { isNewerFolder, MANIFEST, manifestOf } from './manifest.ts'
import { foldersIn } from './sealed.ts'

/** What is wrong with a sealed folder. */
interface FolderProblem {
  /** `daily/2026-03-29`. */
  readonly folder: string
  /** Absent when it concerns the whole folder. */
  readonly file?: string
  readonly kind: 'no manifest' | 'of a newer release' | 'misplaced' | 'missing' | 'damaged' | 'not listed'
}

/** What a check of sealed folders found: they are sound when `problems` is empty. */
export interface FoldersReport {
  readonly folders: number
  readonly files: number
  readonly bytes: number
  readonly frames: number
  readonly messages: number
  readonly problems: readonly FolderProblem[]
}

/**
 * Checks the sealed folders below a folder (`captures/` of a data folder, or a copy of it) against their manifests, with
 * nothing but themselves.
 * @param progress told the share done; may throw to end it
 */
export async function verifyCaptures(
  doors: Doors,
  root: string,
  progress: (share: number) => void = () => {}
): Promise<FoldersReport> {
  const { files } = doors
  const problems: FolderProblem[] = []
  const total = { folders: 0, files: 0, bytes: 0, frames: 0, messages: 0 }
  const names: string[] = []
  for (const capture of await foldersIn(files, root)) {
    for (const folder of await foldersIn(files, `${root}/${capture}`)) names.push(`${capture}/${folder}`)
  }
  for (const [index, folder] of names.entries()) {
    const path = `${root}/${folder}`
    const { manifest } = (await manifestOf(files, path)) ?? {}
    total.folders++
    if (!manifest) {
      problems.push({ folder, kind: (await isNewerFolder(files, path)) ? 'of a newer release' : 'no manifest' })
      continue
    }
    if (`${manifest.capture}/${manifest.folder}` !== folder) problems.push({ folder, kind: 'misplaced' })
    for (const { name, ...digests } of manifest.files) {
      progress(index / names.length)
      const kind = await judge(doors, `${path}/${name}`, digests)
      if (kind) problems.push({ folder, file: name, kind })
      total.files++
      total.bytes += digests.bytes
    }
    for (const { frames, messages } of manifest.streams) {
      total.frames += frames
      total.messages += messages
    }
    const listed = new Set([MANIFEST, ...manifest.files.map(({ name }) => name)])
    for (const { name } of await files.list(path)) {
      if (!listed.has(name)) problems.push({ folder, file: name, kind: 'not listed' })
    }
  }
  return { ...total, problems }
}

async function judge(doors: Doors, path: string, digests: Digests): Promise<'missing' | 'damaged' | undefined> {
  if (!(await doors.files.info(path))) return 'missing'
  // What cannot be decompressed is not what was written either.
  const found = await readCompressed(doors, path, compressionOf(path)).catch(() => undefined)
  return found && areSameDigests(found, digests) ? undefined : 'damaged'
}
