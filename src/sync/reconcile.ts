import { Counts, keyText, type Matrix } from '../analytics/count.ts'
import { type Key, readCounted } from '../analytics/count-message.ts'
import { Fingerprints, valueFingerprint } from '../captures/fingerprints.ts'
import { type Logged, readLogged, type TableKind, tableLabels } from '../captures/formats/primary-files.ts'
import { parseJson } from '../captures/json.ts'
import { timeOf } from '../captures/message-time.ts'
import { Zone } from '../captures/zone.ts'
import type { JournalReader } from '../journal/reading.ts'
import { split } from '../relay/splitter.ts'
import { compareCapture } from './reconcile-capture.ts'
import { type DayRow, DayRows } from './reconcile-days.ts'
import type { PrimaryFolder, PrimaryTable } from './reconcile-folder.ts'
import { PiOrders, type RawLog, rawLogKey } from './reconcile-order.ts'
import { PiStudent } from './reconcile-student.ts'

/** A cell in which the primary's table and what the Pi has counted differ. */
export interface CellDifference {
  readonly row: string
  readonly column: string
  readonly primary: number
  readonly pi: number
}

/** A student's table in which the two differ. */
export interface TableDifference extends Key {
  readonly table: TableKind
  readonly cells: readonly CellDifference[]
}

export interface Reconciliation {
  /** In order of stream and day. */
  readonly days: readonly DayRow[]
  /** Tables of the primary that could be read, and were compared cell by cell. */
  readonly tables: number
  /** Those that could not. */
  readonly unreadableTables: number
  readonly differences: readonly TableDifference[]
  /** Raw logs in which what both have is in another order, so that they count otherwise. */
  readonly reordered: readonly Logged[]
}

export interface ReconcileOptions {
  /** On whose calendar the days are; default: UTC. */
  readonly zone?: Zone
  readonly progress?: (position: number) => void
}

/** What the primary's raw logs hold, by value. */
export interface PrimaryLines {
  /** Of all messages; what the Pi has is taken. */
  readonly fingerprints: Fingerprints
}

/**
 * Compares what a primary has with what the Pi has, as far as the primary keeps it: commands in its raw logs by value
 * and occurrence, what it has counted by the cells of its matrices, feedback by the cells of its tables, and plain
 * captures (one file a stream) by value.
 */
export async function reconcile(
  folder: PrimaryFolder,
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  { zone = new Zone('Etc/UTC'), progress = () => {} }: ReconcileOptions = {}
): Promise<Reconciliation & PrimaryLines> {
  const days = new DayRows(zone)
  const logs = await readRawLogs(folder, days)
  const tables = await folder.tables()
  // a folder of plain captures says nothing of students
  const compared = folder.rawLogs.length + tables.length > 0
  const orders = new PiOrders()
  const differences = compared ? await compareStudents(tables, logs, orders, journal, days, progress) : []
  const reordered = orders.differing(logs.logs, logs.fingerprints)
  for (const { name, stream } of folder.captures) await compareCapture(folder, name, stream, journal, days)
  const readable = tables.filter(({ values }) => values !== undefined).length
  const unreadableTables = tables.length - readable
  const { fingerprints } = logs
  return { days: finished(days), tables: readable, unreadableTables, differences, reordered, fingerprints }
}

async function compareStudents(
  tables: readonly PrimaryTable[],
  { fingerprints, firstKeptMs }: RawLogs,
  orders: PiOrders,
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  days: DayRows,
  progress: (position: number) => void
): Promise<TableDifference[]> {
  const { students, feedback } = await readJournal(journal, fingerprints, orders, days, progress)
  const feedbackCompared = new Set<string>()
  const differences: TableDifference[] = []
  const note = (table: TableKind, key: Key, primary: Matrix, pi: Matrix): void => {
    const cells = cellDifferences(table, key, primary, pi)
    if (cells.length > 0) differences.push({ ...key, table, cells })
  }
  for (const { kind, key, values } of tables) {
    const name = keyText(key)
    if (values === undefined) continue
    if (kind === 'adjacency') {
      const counted = students.get(name)?.compare(values, firstKeptMs.get(name))
      students.delete(name)
      note(kind, key, values, counted ?? zerosLike(values))
    } else {
      note(kind, key, values, feedback.get(key)?.feedback ?? zerosLike(values))
      feedbackCompared.add(name)
    }
  }
  for (const student of students.values()) student.compare(undefined, undefined)
  for (const { key, feedback: counts } of feedback.students()) {
    if (!feedbackCompared.has(keyText(key))) note('feedback', key, zerosLike(counts), counts)
  }
  return differences
}

/** Until now `onlyPrimary` counts all that the primary has. */
function finished(days: DayRows): DayRow[] {
  const rows = days.sorted()
  for (const row of rows) row.onlyPrimary -= row.both
  return rows
}

interface RawLogs extends PrimaryLines {
  /** The earliest time in each student's raw logs, ms since 1970. */
  readonly firstKeptMs: ReadonlyMap<string, number>
  readonly logs: ReadonlyMap<string, RawLog>
}

async function readRawLogs(folder: PrimaryFolder, days: DayRows): Promise<RawLogs> {
  const logs = new Map<string, RawLog>()
  const firstKeptMs = new Map<string, number>()
  for (const name of folder.rawLogs) {
    for await (const { bytes } of folder.lines(name)) {
      const message = bytes && parseJson(bytes.toString('utf8'))
      const logged = readLogged(message)
      const fingerprint = logged && valueFingerprint(message)
      if (logged === undefined || fingerprint === undefined) {
        days.row(hardwareIn(name), '-').notComparable++
        continue
      }
      const log = logs.get(rawLogKey(logged)) ?? { logged, values: [] }
      logs.set(rawLogKey(logged), log)
      log.values.push(fingerprint)
      days.of(logged.hardware, message).onlyPrimary++
      const us = timeOf(message)
      const key = keyText(logged)
      if (us !== undefined) firstKeptMs.set(key, Math.min(us / 1000, firstKeptMs.get(key) ?? Number.POSITIVE_INFINITY))
    }
  }
  const all = [...logs.values()].flatMap(({ values }) => values)
  return { fingerprints: new Fingerprints(all), firstKeptMs, logs }
}

/** The hardware that a raw log's name tells of, which is the third from its end. */
function hardwareIn(name: string): string {
  const hardware = name.split('-').at(-3) ?? ''
  return /^[A-Za-z0-9_]{1,64}$/.test(hardware) ? hardware : '?'
}

async function readJournal(
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  fingerprints: Fingerprints,
  orders: PiOrders,
  days: DayRows,
  progress: (position: number) => void
): Promise<{ students: Map<string, PiStudent>; feedback: Counts<undefined> }> {
  const students = new Map<string, PiStudent>()
  const feedback = new Counts<undefined>()
  for await (const frames of journal.range({ before: journal.nextPosition })) {
    for (const { stream, payload, origin } of frames) {
      for (const { start, end, kind } of split(payload)) {
        const message = kind === 'json' ? parseJson(payload.toString('utf8', start, end)) : undefined
        const { type } = (message ?? {}) as { type?: unknown }
        if (type === 'feedback') feedback.add(message, undefined)
        if (type !== 'analytics') continue
        const logged = readLogged(message)
        const fingerprint = logged && valueFingerprint(message)
        if (logged === undefined || fingerprint === undefined) {
          days.of(stream, message).notComparable++
          continue
        }
        const read = readCounted(message)
        const command = typeof read === 'object' && read.kind === 'command' ? read : undefined
        const us = timeOf(message)
        const key = keyText(logged)
        const student = students.get(key) ?? new PiStudent(logged.exp)
        students.set(key, student)
        const row = days.of(logged.hardware, message)
        const tMs = us === undefined ? undefined : us / 1000
        const matched = fingerprints.take(fingerprint)
        if (matched) orders.add(rawLogKey(logged), fingerprint, origin === 'import')
        student.add({ row, node: command?.node, tMs, matched }, logged.hardware, origin === 'import')
      }
    }
    progress(frames.at(-1)?.position ?? 0)
  }
  return { students, feedback }
}

function cellDifferences(table: TableKind, key: Key, primary: Matrix, pi: Matrix): CellDifference[] {
  const [rows, columns] = tableLabels(table, key)
  return rows.flatMap((row, i) =>
    columns.flatMap((column, j) => {
      const cell = { row, column, primary: primary[i]![j]!, pi: pi[i]![j]! }
      return cell.primary === cell.pi ? [] : [cell]
    })
  )
}

function zerosLike(table: Matrix): Matrix {
  return table.map((row) => row.map(() => 0))
}
