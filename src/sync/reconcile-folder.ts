import { join } from 'node:path'
import type { Matrix } from '../analytics/count.ts'
import { readTableCsv } from '../analytics/count-csv.ts'
import type { Key } from '../analytics/count-message.ts'
import { isExperiment } from '../analytics/experiments.ts'
import { type TableKind, tableLabels } from '../captures/formats/primary-files.ts'
import { parseJson } from '../captures/json.ts'
import { type Line, lines, pieces } from '../captures/lines.ts'
import type { Files } from '../world/files.ts'

/** A matrix or a feedback table that the primary has; `values` is absent where it cannot be read. */
export interface PrimaryTable {
  readonly name: string
  readonly kind: TableKind
  readonly key: Key
  readonly values: Matrix | undefined
}

const MAX_LINE_BYTES = 16 << 20

/** What lies in a primary's DATA_PATH, by the names of its files. */
export class PrimaryFolder {
  readonly directory: string
  /** Raw logs, one a student and piece of hardware. */
  readonly rawLogs: readonly string[]
  /** Plain captures, one a stream. */
  readonly captures: ReadonlyArray<{ readonly name: string; readonly stream: string }>
  private readonly tableNames: readonly string[]
  private readonly files: Files

  private constructor(files: Files, directory: string, names: readonly string[], streams: ReadonlySet<string>) {
    this.files = files
    this.directory = directory
    this.tableNames = names.filter((name) => tableForm.test(name))
    const stems = names.map((name) => ({ name, stream: name.replace(/\.[^.]*$/, '') }))
    this.captures = stems.filter(({ name, stream }) => streams.has(stream) && !name.endsWith('.csv'))
    this.rawLogs = names.filter((name) => rawLogForm.test(name) && !this.captures.some((one) => one.name === name))
  }

  /** @param streams files of this name are plain captures */
  static async open(files: Files, directory: string, streams: Iterable<string>): Promise<PrimaryFolder> {
    const entries = await files.list(directory)
    const names = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name)
    return new PrimaryFolder(files, directory, names.sort(), new Set(streams))
  }

  /** The bytes of a file, in pieces. */
  async *content(name: string): AsyncGenerator<Buffer> {
    const file = await this.files.open(join(this.directory, name), 'read')
    try {
      yield* pieces(file)
    } finally {
      await file.close()
    }
  }

  /** The lines of a file, without empty ones; `bytes` is absent where one is too long to be a message. */
  async *lines(name: string): AsyncGenerator<Line> {
    for await (const batch of lines(this.content(name), MAX_LINE_BYTES)) {
      for (const line of batch) if (line.bytes?.length !== 0) yield line
    }
  }

  async modifiedMs(name: string): Promise<number> {
    return (await this.files.info(join(this.directory, name)))?.modifiedMs ?? 0
  }

  async tables(): Promise<PrimaryTable[]> {
    const original = await this.originalNames()
    const tables: PrimaryTable[] = []
    for (const name of this.tableNames) {
      const [, user = '', exp = '', course = '', suffix] = tableForm.exec(name) ?? []
      if (!isExperiment(exp)) continue
      const key = { user: original.get(user) ?? user, exp, course: original.get(course) ?? course }
      const kind = suffix as TableKind
      const text = (await this.files.readFile(join(this.directory, name))).toString('utf8')
      tables.push({ name, kind, key, values: readTableCsv(text, ...tableLabels(kind, key)) })
    }
    return tables
  }

  /** What the names that we encoded were. */
  private async originalNames(): Promise<Map<string, string>> {
    const path = join(this.directory, 'names.json')
    if ((await this.files.info(path))?.kind !== 'file') return new Map()
    const names = parseJson((await this.files.readFile(path)).toString('utf8'))
    return new Map(
      Object.entries(names ?? {}).filter(([, name]) => typeof name === 'string') as Array<[string, string]>
    )
  }
}

const tableForm = /^(.+)-(spinner|pendulum)-(.+)-(adjacency|feedback)\.csv$/
/** At least user, hardware, experiment and course. */
const rawLogForm = /^.+-.+-.+-.+\.json$/
