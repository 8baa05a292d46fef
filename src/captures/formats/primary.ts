import { Counts } from '../../analytics/count.ts'
import type { Frame } from '../../journal/entry.ts'
import { split } from '../../relay/splitter.ts'
import type { Files } from '../../world/files.ts'
import { GatheredFiles } from '../gathered-files.ts'
import { parseJson } from '../json.ts'
import type { EncodedNames } from './file-name.ts'
import type { FolderFormat, FolderWriter, FormatCounts } from './format.ts'
import { rawLogName, readLogged, studentTables, tableFile } from './primary-files.ts'
import { onOneLine } from './raw.ts'

const newline = Buffer.from('\n')

/**
 * The primary's own layout, over all streams: the raw log of each user, piece of hardware, experiment and course, with
 * all of its `analytics` messages, and each student's matrix and feedback table as counted from them. What else there
 * is, is left out. `names.json` says what the names are that could not be a file's.
 */
export const primary: FolderFormat = (files, directory) => new PrimaryFiles(files, directory)

class PrimaryFiles implements FolderWriter {
  private readonly open: GatheredFiles
  private readonly students = new Counts<undefined>()
  private readonly encoded: EncodedNames = new Map()
  private messages = 0
  private others = 0
  private leftOut = 0
  private bytes = 0

  constructor(files: Files, directory: string) {
    this.open = new GatheredFiles(files, directory)
  }

  get counts(): FormatCounts {
    const { messages, others, leftOut, bytes } = this
    return { messages, others, leftOut, bytes }
  }

  async write(frames: readonly Frame[]): Promise<void> {
    for (const { payload, origin } of frames) {
      for (const { start, end, kind } of split(payload)) {
        if (kind === 'json') await this.message(payload.subarray(start, end), origin === 'import')
        else this.others++
      }
    }
  }

  async finish(): Promise<string[]> {
    for (const student of this.students.students()) {
      for (const { kind, values } of studentTables(student)) {
        const [name, csv] = tableFile(kind, student.key, values, this.encoded)
        await this.append(name, Buffer.from(csv))
      }
    }
    if (this.encoded.size > 0) {
      await this.append('names.json', Buffer.from(`${JSON.stringify(Object.fromEntries(this.encoded))}\n`))
    }
    return this.open.finish()
  }

  discard(): Promise<void> {
    return this.open.discard()
  }

  private async message(bytes: Buffer, late: boolean): Promise<void> {
    this.messages++
    const message = parseJson(bytes.toString('utf8'))
    const counted = this.students.add(message, undefined, late)
    const logged = readLogged(message)
    if (logged) await this.append(rawLogName(logged, this.encoded), Buffer.concat([onOneLine(bytes), newline]))
    else if (!counted) this.leftOut++
  }

  private async append(name: string, data: Buffer): Promise<void> {
    this.bytes += data.length
    await this.open.append(name, data)
  }
}
