import { Counts } from '../../analytics/count.ts'
import type { Frame } from '../../journal/entry.ts'
import { split } from '../../relay/splitter.ts'
import type { Files } from '../../world/files.ts'
import type { WrittenFile } from '../digests.ts'
import { GatheredFiles } from '../gathered-files.ts'
import { parseJson } from '../json.ts'
import { type EncodedNames, FileNames } from './file-name.ts'
import type { FolderFormat, FolderWriter, Parts } from './format.ts'
import { rawLogName, readLogged, studentTables, tableFile } from './primary-files.ts'
import { onOneLine } from './raw.ts'

const newline = Buffer.from('\n')

/**
 * The primary's own layout, over all streams: the raw log of each user, piece of hardware, experiment and course, with
 * all of its `analytics` messages, and each student's matrix and feedback table as counted from them. What else there
 * is, is left out. `names.json` says what the names are that could not be a file's.
 */
export const primary: FolderFormat = ({ files }, directory) => new PrimaryFiles(files, directory)

class PrimaryFiles implements FolderWriter {
  leftOut = 0
  private readonly open: GatheredFiles
  private readonly names = new FileNames()
  private readonly students = new Counts<undefined>()

  constructor(files: Files, directory: string) {
    this.open = new GatheredFiles(files, directory)
  }

  get encodedNames(): EncodedNames {
    return this.names.encoded
  }

  async write(frames: readonly Frame[]): Promise<readonly Parts[]> {
    const all: Parts[] = []
    for (const { payload, origin } of frames) {
      const parts = { messages: 0, others: 0 }
      all.push(parts)
      for (const { start, end, kind } of split(payload)) {
        if (kind === 'json') {
          parts.messages++
          await this.message(payload.subarray(start, end), origin === 'import')
        } else parts.others++
      }
    }
    return all
  }

  async finish(): Promise<readonly WrittenFile[]> {
    for (const student of this.students.students()) {
      for (const { kind, values } of studentTables(student)) {
        const [name, csv] = tableFile(kind, student.key, values, this.names)
        await this.open.append(name, Buffer.from(csv))
      }
    }
    if (this.encodedNames.size > 0) {
      await this.open.append('names.json', Buffer.from(`${JSON.stringify(Object.fromEntries(this.encodedNames))}\n`))
    }
    return this.open.finish()
  }

  discard(): Promise<void> {
    return this.open.discard()
  }

  private async message(bytes: Buffer, late: boolean): Promise<void> {
    const message = parseJson(bytes.toString('utf8'))
    const counted = this.students.add(message, undefined, late)
    const logged = readLogged(message)
    if (logged) await this.open.append(rawLogName(logged, this.names), Buffer.concat([onOneLine(bytes), newline]))
    else if (!counted) this.leftOut++
  }
}
