import { Counts, keyText, type Matrix } from '../analytics/count.ts'
import type { Key } from '../analytics/count-message.ts'
import { FileNames } from '../captures/formats/file-name.ts'
import {
  type Logged,
  rawLogName,
  readLogged,
  studentTables,
  type TableKind,
  tableFile,
  tableLabels
} from '../captures/formats/primary-files.ts'
import { onOneLine } from '../captures/formats/raw.ts'
import { GatheredFiles } from '../captures/gathered-files.ts'
import { parseJson } from '../captures/json.ts'
import type { JournalReader } from '../journal/reading.ts'
import { split } from '../relay/splitter.ts'
import type { Files } from '../world/files.ts'
import type { CellDifference, TableDifference } from './reconcile.ts'
import type { PrimaryTable } from './reconcile-folder.ts'

export interface RestoreReport {
  readonly students: number
  readonly files: number
  /** Tables that were taken over from the primary, since the Pi knows nothing of them. */
  readonly takenOver: number
  /** Tables in which the primary has counted more than the Pi. */
  readonly countedMore: number
}

export interface RestoreOptions {
  /** Tables of a primary; those of students of whom the Pi has none are taken over. */
  readonly theirs?: readonly PrimaryTable[]
  /** How a primary's tables differ from what the Pi has counted. */
  readonly differences?: readonly TableDifference[]
  /** Where the primary has counted more in sum, its tables are held to be right, and the Pi adds what came after. */
  readonly keepCounted?: boolean
  readonly progress?: (position: number) => void
}

interface LastCommand {
  readonly logged: Logged
  readonly line: Buffer
}

/**
 * Builds a DATA_PATH: each student's matrix and feedback table as counted from the journal, and as raw log the last
 * command that was counted, since the primary makes the next edge from it. Raw logs of counted commands would be
 * counted once more.
 * @throws UNDERSTUDY_OUTPUT_EXISTS when a file is there already
 */
export async function restore(
  files: Files,
  directory: string,
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  { theirs = [], differences = [], keepCounted = false, progress = () => {} }: RestoreOptions = {}
): Promise<RestoreReport> {
  const counts = await countJournal(journal, progress)
  const more = differences.filter((one) => countedMore(one) && hasTable(counts, one.table, one))
  const surplus = new Map(keepCounted ? more.map((one) => [tableText(one.table, one), one.cells]) : [])
  // the primary looks for exactly these names
  const fileNames = new FileNames(true)
  const { encoded } = fileNames
  await files.makeDirectory(directory)
  const written = new GatheredFiles(files, directory)
  let students = 0
  let takenOver = 0
  try {
    for (const student of counts.students()) {
      students++
      for (const { kind, values } of studentTables(student)) {
        const cells = surplus.get(tableText(kind, student.key)) ?? []
        const [name, csv] = tableFile(kind, student.key, withSurplus(kind, student.key, values, cells), fileNames)
        await written.append(name, Buffer.from(csv))
      }
      const { last } = student
      if (last) await written.append(rawLogName(last.logged, fileNames), last.line)
    }
    for (const table of theirs) {
      if (table.values === undefined || hasTable(counts, table.kind, table.key)) continue
      takenOver++
      const [name, csv] = tableFile(table.kind, table.key, table.values, fileNames)
      await written.append(name, Buffer.from(csv))
    }
    if (encoded.size > 0) {
      await written.append('names.json', Buffer.from(`${JSON.stringify(Object.fromEntries(encoded))}\n`))
    }
    const names = await written.finish()
    await files.syncDirectory(directory)
    return { students, files: names.length, takenOver, countedMore: more.length }
  } catch (error) {
    await written.discard()
    throw error
  }
}

function tableText(kind: TableKind, key: Key): string {
  return `${kind} ${keyText(key)}`
}

/** The Pi's values, and what the primary had beside them when it counted. */
function withSurplus(kind: TableKind, key: Key, values: Matrix, cells: readonly CellDifference[]): Matrix {
  const [rows, columns] = tableLabels(kind, key)
  const result = values.map((row) => [...row])
  for (const { row, column, primary, pi } of cells) result[rows.indexOf(row)]![columns.indexOf(column)]! += primary - pi
  return result
}

function countedMore({ cells }: TableDifference): boolean {
  return cells.reduce((sum, { primary, pi }) => sum + primary - pi, 0) > 0
}

function hasTable(counts: Counts<unknown>, kind: TableKind, key: Key): boolean {
  const student = counts.get(key)
  return ((kind === 'adjacency' ? student?.commands : student?.feedbackCount) ?? 0) > 0
}

async function countJournal(
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  progress: (position: number) => void
): Promise<Counts<LastCommand | undefined>> {
  const counts = new Counts<LastCommand | undefined>()
  for await (const frames of journal.range({ before: journal.nextPosition })) {
    for (const { payload, origin } of frames) {
      for (const { start, end, kind } of split(payload)) {
        if (kind !== 'json') continue
        const bytes = payload.subarray(start, end)
        const message = parseJson(bytes.toString('utf8'))
        const logged = readLogged(message)
        // a copy, since a piece would keep its whole frame
        const kept = logged && { logged, line: Buffer.from(`${onOneLine(bytes)}\n`) }
        counts.add(message, kept, origin === 'import')
      }
    }
    progress(frames.at(-1)?.position ?? 0)
  }
  return counts
}
