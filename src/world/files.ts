export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'other'
  readonly sizeBytes: number
  /** Last change of the content, ms since 1970. */
  readonly modifiedMs: number
  /** Identifies the file on its disk: a file replaced by a rename gets another one. */
  readonly inode: number
  /** Identifies the disk among those that are mounted: a mount point that has another one than its parent is in use. */
  readonly device: number
  /** Permission bits, e.g. 0o600. */
  readonly mode: number
  /** The numeric id of the user it belongs to. */
  readonly owner: number
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: FileInfo['kind']
}

export interface OpenFile {
  /** Reads at most `into.length` bytes at `position`; gives the count, 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Writes all of `data` at `position`. */
  write(data: Uint8Array, position: number): Promise<void>
  /** fdatasync: what was written is on the disk when it resolves. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
  /** Absent where the file system does not count them. */
  readonly freeInodes?: number
  readonly totalInodes?: number
}

/** Files and folders. Errors are Node's own (`code` is ENOENT, ENOSPC, EIO, EROFS…), in the simulated world too. */
export interface Files {
  /** `read`: must exist. `edit`: read and write, must exist. `create`: read and write, made empty. `append`: made if missing; position is ignored. */
  open(path: string, how: 'read' | 'edit' | 'create' | 'append', mode?: number): Promise<OpenFile>
  readFile(path: string): Promise<Buffer>
  /** Writes without syncing; for what may be lost. See `writeDurably`. */
  writeFile(path: string, data: Uint8Array | string, mode?: number): Promise<void>
  list(path: string): Promise<DirectoryEntry[]>
  /** `undefined` when nothing is there. Follows links. */
  info(path: string): Promise<FileInfo | undefined>
  /** Makes the folder and its parents; no error when it is there. */
  makeDirectory(path: string, mode?: number): Promise<void>
  /** Removes a file or a whole folder; no error when nothing is there. */
  remove(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A second name for the same file (hard link). */
  link(from: string, to: string): Promise<void>
  /** fsync of a folder: renames and new names in it are on the disk when it resolves. */
  syncDirectory(path: string): Promise<void>
  /** Of the disk that holds `path`. */
  space(path: string): Promise<DiskSpace>
}

/**
 * Replaces `path` by `data` so that after a power cut either the old or the new content is there, whole.
 * @param temporary where it is written first: on the same disk, and left over there by a cut
 */
export async function writeDurably(
  files: Files,
  path: string,
  data: Uint8Array | string,
  mode = 0o640,
  temporary = `${path}.new`
): Promise<void> {
  const file = await files.open(temporary, 'create', mode)
  try {
    await file.write(typeof data === 'string' ? Buffer.from(data) : data, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(temporary, path)
  await files.syncDirectory(path.slice(0, path.lastIndexOf('/')) || '/')
}
