import type { Folder } from './folder.ts'
import { beginManifest, numbered, readLog, readTable, writeTable } from './store-files.ts'
import type { StoredOperation } from './store-format.ts'

/**
 * What LevelDB's repair does: keeps every whole table, rewrites what can be read of the others and of the logs, puts
 * the originals into `lost/`, and begins a new manifest. Like LevelDB's it says nothing of what it could not write.
 */
export function repairStore(folder: Folder): void {
  const names = folder.names()
  const numberOf = (name: string): number => Number(name.match(/^(?:MANIFEST-)?(\d{6})/)?.[1] ?? 0)
  let next = Math.max(0, ...names.map(numberOf)) + 1
  const lost = folder.folder('lost')
  const tables: number[] = []

  const rewrite = (name: string, operations: readonly StoredOperation[]): void => {
    const table = next++
    try {
      if (operations.length > 0) {
        writeTable(folder, table, operations)
        tables.push(table)
      }
    } catch {
      folder.remove(numbered(table, 'ldb'))
    }
    folder.move(name, lost)
  }

  const files = names.filter((name) => /^\d{6}\.(ldb|log)$/.test(name)).sort()
  for (const name of files.filter((file) => file.endsWith('.ldb'))) {
    const { operations, whole } = readTable(folder, name)
    if (whole) tables.push(numberOf(name))
    else rewrite(name, operations)
  }
  for (const name of files.filter((file) => file.endsWith('.log'))) rewrite(name, readLog(folder, name))
  for (const name of names.filter((file) => file.startsWith('MANIFEST-'))) folder.move(name, lost)
  beginManifest(folder, next, { tables, log: next + 1, next: next + 2 })
}
