import { crc32 } from 'node:zlib'
import type { Entry } from '../../src/journal/entry.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { Cursor } from '../../src/journal/reading.ts'
import type { Model, Run } from './model.ts'

/**
 * A reader like those that the appliance will have: it takes each entry into account once, and keeps its position
 * together with what it has made of it: here a running checksum, which comes out wrong when an entry is taken twice or
 * left out.
 * @param rest waits when everything has been read
 */
export async function follow(
  name: string,
  journal: Journal,
  model: Model,
  run: Run,
  rest: (cursor: Cursor) => Promise<void>
): Promise<void> {
  try {
    const { readers } = journal
    const begun = await readers.place(name)
    let sum = Number((await readers.get(name, 'sum'))?.toString() ?? 0)
    let cursor = journal.cursor(begun ?? { position: journal.firstPosition })
    model.resumes(name, begun?.position, sum)
    while (!run.ended && !run.stopping) {
      const entries = await cursor.next(50_000).catch((error): readonly Entry[] | undefined => {
        model.readerFails(error, cursor.position)
        return undefined
      })
      if (!entries) {
        // It came too late for what it has not read, and goes on with what is left.
        if (cursor.position >= journal.firstPosition) return
        cursor = journal.cursor({ position: journal.firstPosition })
        continue
      }
      if (entries.length === 0) {
        await rest(cursor)
        continue
      }
      for (const entry of entries) {
        model.sees(entry)
        sum = crc32(`${entry.position} ${model.fingerprint(entry)}`, sum)
      }
      model.summed(name, cursor.position, sum)
      model.room.keeps(name, cursor.place)
      await readers.commit(name, cursor.place, [['sum', Buffer.from(String(sum))]])
      model.kept(name, cursor.place)
    }
  } catch (error) {
    model.readerFails(error)
  }
}
