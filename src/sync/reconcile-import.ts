import { type Fingerprints, valueFingerprint } from '../captures/fingerprints.ts'
import { readLogged } from '../captures/formats/primary-files.ts'
import { type ImportedFrame, type ImportTarget, importLines } from '../captures/import.ts'
import { parseJson } from '../captures/json.ts'
import { timeOf } from '../captures/message-time.ts'
import { isStreamName } from '../config/stream-name.ts'
import type { PrimaryFolder } from './reconcile-folder.ts'

export interface ImportMissingReport {
  readonly imported: number
  /** Second copies of a message that the journal has: nobody gives one command twice in the same millisecond. */
  readonly copies: number
  /** Messages whose hardware cannot be a stream. */
  readonly refused: number
}

const BATCH = 500

/**
 * Takes into the journal, marked as imported, what only the primary has. Run again, it finds it there.
 * @param left what the raw logs hold by value, with all that the Pi has taken out
 */
export async function importMissing(
  folder: PrimaryFolder,
  left: Fingerprints,
  target: ImportTarget
): Promise<ImportMissingReport> {
  const report = { imported: 0, copies: 0, refused: 0 }
  let batch: ImportedFrame[] = []
  for (const name of folder.rawLogs) {
    let wallUs = (await folder.modifiedMs(name)) * 1000
    for await (const { bytes } of folder.lines(name)) {
      const message = bytes && parseJson(bytes.toString('utf8'))
      const logged = readLogged(message)
      const fingerprint = logged && valueFingerprint(message)
      if (bytes === undefined || logged === undefined || fingerprint === undefined) continue
      const us = timeOf(message)
      const known = us !== undefined && left.wasTaken(fingerprint)
      if (!left.take(fingerprint)) continue
      if (known || !isStreamName(logged.hardware)) {
        report[known ? 'copies' : 'refused']++
        continue
      }
      wallUs = us ?? Math.trunc(wallUs)
      const times = { wallUs, monoUs: 0, boot: '', source: 'none' } as const
      batch.push({ stream: logged.hardware, origin: 'import', binary: false, payload: bytes, ...times })
      report.imported++
      if (batch.length < BATCH) continue
      await target.append(batch)
      batch = []
    }
  }
  if (batch.length > 0) await target.append(batch)
  await target.commit()
  return report
}

/** Takes into the journal what only a plain capture has; gives how many messages that were. */
export async function importCapture(
  folder: PrimaryFolder,
  { name, stream }: PrimaryFolder['captures'][number],
  target: ImportTarget
): Promise<number> {
  const { appended } = await importLines(folder.content(name), target, { plainStream: stream })
  return appended
}
