import { keyText, type Matrix, zeros } from '../analytics/count.ts'
import { type Counted, type Key, readCounted } from '../analytics/count-message.ts'
import type { StudentBase } from '../analytics/student-graphs.ts'
import { tableLabels } from '../captures/formats/primary-files.ts'
import { parseJson } from '../captures/json.ts'
import type { Ms } from '../world/time.ts'
import type { PrimaryFolder } from './reconcile-folder.ts'

/** What a primary has counted of its students, and how many of them have a table that cannot be read. */
export interface PrimaryBases {
  readonly bases: readonly StudentBase[]
  readonly unreadable: number
}

/**
 * Reads a primary's matrices, feedback tables and raw logs, as of a time. Its raw logs begin with the last command that is
 * in the matrix, and go on with those that are not yet. Whose table cannot be read is left out whole.
 */
export async function readBases(folder: PrimaryFolder, asOfMs: Ms): Promise<PrimaryBases> {
  const found = new Map<string, { key: Key; adjacency?: Matrix; feedback?: Matrix; commands: Command[] }>()
  const unreadable = new Set<string>()
  const of = (key: Key): { key: Key; adjacency?: Matrix; feedback?: Matrix; commands: Command[] } => {
    const known = found.get(keyText(key)) ?? { key, commands: [] }
    found.set(keyText(key), known)
    return known
  }
  for (const { kind, key, values } of await folder.tables()) {
    if (values === undefined) unreadable.add(keyText(key))
    else of(key)[kind] = values
  }
  for (const name of folder.rawLogs) {
    for await (const { bytes } of folder.lines(name)) {
      const counted = bytes && readCounted(parseJson(bytes.toString('utf8')))
      if (typeof counted === 'object' && counted.kind === 'command') of(counted.key).commands.push(counted)
    }
  }
  const bases = [...found].flatMap(([name, { key, adjacency, feedback, commands }]): StudentBase[] => {
    if (unreadable.has(name)) return []
    const base = { asOfMs, commands: commands.map(({ node, tMs, hardware }) => ({ node, tMs, hardware })) }
    return [
      { ...base, key, adjacency: adjacency ?? empty(key, 'adjacency'), feedback: feedback ?? empty(key, 'feedback') }
    ]
  })
  return { bases, unreadable: unreadable.size }
}

type Command = Extract<Counted, { kind: 'command' }>

function empty(key: Key, kind: 'adjacency' | 'feedback'): Matrix {
  const [rows, columns] = tableLabels(kind, key)
  return zeros(rows.length, columns.length)
}
