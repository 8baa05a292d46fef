import { crc32 } from 'node:zlib'
import type { Journal } from '../../src/journal/journal.ts'
import type { Model, Run } from './model.ts'

const NAME = 'follower'

/**
 * A reader like those that the appliance will have: it takes each entry into account once, and keeps its position
 * together with what it has made of it: here a running checksum, which comes out wrong when an entry is taken twice or
 * left out.
 */
export async function follow(journal: Journal, model: Model, run: Run): Promise<void> {
  try {
    const { readers } = journal
    const begun = await readers.place(NAME)
    let sum = Number((await readers.get(NAME, 'sum'))?.toString() ?? 0)
    const place = begun ?? { position: journal.firstPosition }
    model.resumes(place.position, sum)
    const cursor = journal.cursor(place)
    for (;;) {
      if (run.ended || run.stopping) return
      const entries = await cursor.next(50_000)
      if (entries.length === 0) {
        const before = cursor.position
        await cursor.wait()
        if (cursor.position === before && journal.nextPosition === before) return
        continue
      }
      for (const entry of entries) {
        model.sees(entry)
        sum = crc32(`${entry.position} ${model.fingerprint(entry)}`, sum)
      }
      model.summed(cursor.position, sum)
      await readers.commit(NAME, cursor.place, [['sum', Buffer.from(String(sum))]])
    }
  } catch (error) {
    model.readerFails(error)
  }
}
