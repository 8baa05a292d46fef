import { Fingerprints, valueFingerprint } from '../captures/fingerprints.ts'
import { parseJson } from '../captures/json.ts'
import { timeOf } from '../captures/message-time.ts'
import type { JournalReader } from '../journal/reading.ts'
import { split } from '../relay/splitter.ts'
import type { Us } from '../world/time.ts'
import type { DayRows } from './reconcile-days.ts'
import type { PrimaryFolder } from './reconcile-folder.ts'

/**
 * Compares a plain capture of one stream (as `connect.sh` made them: what came, one frame a line) with the journal, by
 * the value of all messages from the first to the last time in it. `onlyPrimary` counts all that the capture has.
 */
export async function compareCapture(
  folder: PrimaryFolder,
  name: string,
  stream: string,
  journal: Pick<JournalReader, 'range' | 'nextPosition'>,
  days: DayRows
): Promise<void> {
  const found: bigint[] = []
  let firstUs = Number.POSITIVE_INFINITY
  let lastUs = Number.NEGATIVE_INFINITY
  for await (const { bytes } of folder.lines(name)) {
    for (const { message, us, fingerprint } of comparable(bytes)) {
      if (us === undefined || fingerprint === undefined) {
        days.row(stream, '-').notComparable++
        continue
      }
      found.push(fingerprint)
      days.of(stream, message).onlyPrimary++
      firstUs = Math.min(firstUs, us)
      lastUs = Math.max(lastUs, us)
    }
  }
  if (found.length === 0) return
  const fingerprints = new Fingerprints(found)
  for await (const frames of journal.range({ streams: new Set([stream]), before: journal.nextPosition })) {
    for (const { payload } of frames) {
      for (const { message, us, fingerprint } of comparable(payload)) {
        if (us === undefined || us < firstUs || us > lastUs || fingerprint === undefined) continue
        const row = days.of(stream, message)
        if (fingerprints.take(fingerprint)) row.both++
        else row.onlyPi++
      }
    }
  }
}

/** The messages in some bytes; what is none has neither time nor fingerprint. */
function* comparable(
  bytes: Buffer | undefined
): Generator<{ message: unknown; us: Us | undefined; fingerprint: bigint | undefined }> {
  if (bytes === undefined) return
  for (const { start, end, kind } of split(bytes)) {
    const message = kind === 'json' ? parseJson(bytes.toString('utf8', start, end)) : undefined
    yield { message, us: timeOf(message), fingerprint: kind === 'json' ? valueFingerprint(message) : undefined }
  }
}
