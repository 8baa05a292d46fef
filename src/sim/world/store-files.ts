import type { Operation } from '../../world/stores.ts'
import type { Folder } from './folder.ts'
import type { FileNode } from './node.ts'
import {
  decodeOperations,
  decodeRecords,
  decodeTable,
  type Edition,
  encodeOperations,
  encodeRecord,
  encodeTable,
  type StoredOperation
} from './store-format.ts'

/** Tables don't change, and a long simulation opens them again and again. */
const decodedTables = new WeakMap<FileNode, { version: number; decoded: ReturnType<typeof decodeTable> }>()

export function numbered(number: number, extension: 'log' | 'ldb'): string {
  return `${String(number).padStart(6, '0')}.${extension}`
}

export function readTable(folder: Folder, name: string): ReturnType<typeof decodeTable> {
  const content = folder.read(name)
  const node = folder.file(name)!
  const known = decodedTables.get(node)
  if (known?.version === node.version) return known.decoded
  const decoded = decodeTable(content)
  decodedTables.set(node, { version: node.version, decoded })
  return decoded
}

/** What a log says, up to its first bad record; as a copy, since the log goes. */
export function readLog(folder: Folder, name: string): StoredOperation[] {
  return decodeRecords(Buffer.from(folder.read(name))).payloads.flatMap(
    (payload) => decodeOperations(payload).operations
  )
}

export function writeTable(folder: Folder, number: number, operations: readonly StoredOperation[]): void {
  const encoded = encodeOperations(
    operations.map(([key, value]): Operation => (value ? { type: 'put', key, value } : { type: 'del', key }))
  )
  folder.write(numbered(number, 'ldb'), encodeTable(encoded, operations.length))
}

/** The last edition of the manifest that CURRENT names. Throws when LevelDB would refuse to open. */
export function readEdition(folder: Folder): Edition {
  const current = folder.read('CURRENT').toString('latin1')
  if (!/^MANIFEST-\d{6}\n$/.test(current)) throw new Error('CURRENT is damaged')
  const { payloads, flaw } = decodeRecords(folder.read(current.trimEnd()))
  const last = payloads.at(-1)
  // A shortened manifest passes for one that was being written when the power went.
  if (!last || flaw === 'wrong') throw new Error('MANIFEST is damaged')
  return JSON.parse(last.toString())
}

/** Begins a new manifest with this edition and makes it the current one. */
export function beginManifest(folder: Folder, number: number, edition: Edition): FileNode {
  const name = `MANIFEST-${String(number).padStart(6, '0')}`
  const manifest = folder.write(name, encodeEdition(edition))
  const temporary = `${String(number).padStart(6, '0')}.dbtmp`
  folder.write(temporary, Buffer.from(`${name}\n`))
  folder.rename(temporary, 'CURRENT')
  folder.sync()
  return manifest
}

export function encodeEdition(edition: Edition): Buffer {
  return encodeRecord(Buffer.from(JSON.stringify(edition)))
}

/** Removes, as LevelDB does, each of its files that the edition does not name: after damage these may be good ones. */
export function removeObsolete(folder: Folder, edition: Edition, manifest: FileNode): void {
  const live = new Set([numbered(edition.log, 'log'), ...edition.tables.map((table) => numbered(table, 'ldb'))])
  for (const name of folder.names()) {
    if (live.has(name) || folder.file(name) === manifest) continue
    if (/^\d{6}\.(log|ldb|dbtmp)$|^MANIFEST-/.test(name)) folder.remove(name)
  }
}
