import { expect, test } from 'vitest'
import { aMachine, openJournal, START_US, told } from '../journal/fixtures.ts'
import type { Journal } from '../journal/journal.ts'
import { exportToOutput } from './export.ts'
import { envelope } from './formats/envelope.ts'
import { type ImportReport, type ImportTarget, importLines } from './import.ts'

async function exported(journal: Journal): Promise<Buffer> {
  const written: Buffer[] = []
  await exportToOutput(async (data) => void written.push(data), journal, { query: {}, format: envelope })
  return Buffer.concat(written)
}

function imported(data: Buffer, journal: Journal): Promise<ImportReport> {
  const target: ImportTarget = {
    range: (query) => journal.range(query),
    firstPosition: journal.firstPosition,
    nextPosition: journal.nextPosition,
    append: async (frames) => {
      for (const { wallUs, monoUs, boot, source, ...frame } of frames) {
        journal.append({ ...frame, stamp: { wallUs, monoUs, boot, source } })
      }
    },
    commit: () => journal.commit()
  }
  return importLines([data] as unknown as AsyncIterable<Buffer>, target)
}

test('a frame is known under the time it was recorded with, whatever was found out since', async () => {
  const machine = aMachine()
  machine.clock.setSynchronised(false)
  machine.clock.setWall(0)
  const journal = await openJournal(machine.world)
  journal.append(told('spin30', '{"a":1}'))
  await journal.commit()
  const before = await exported(journal)
  machine.clock.setWall(machine.simulation.trueWallUs)
  machine.clock.setSynchronised(true)
  await machine.simulation.run(11_000)
  journal.append(told('spin30', '{"a":2}'))
  await journal.commit()
  const after = await exported(journal)
  expect(JSON.parse(before.toString())).toMatchObject({ time_us: 0, time_uncertain: true })
  expect(JSON.parse(after.toString().split('\n')[0]!)).toMatchObject({ time_us: START_US, clock_us: 0, synced: false })

  expect(await imported(before, journal)).toMatchObject({ known: 1, appended: 0 })
  expect(await imported(after, journal)).toMatchObject({ known: 2, appended: 0 })
  const other = await openJournal(aMachine(2).world)
  expect(await imported(after, other)).toMatchObject({ known: 0, appended: 2 })
  expect(await imported(after, other)).toMatchObject({ known: 2, appended: 0 })
  expect(JSON.parse((await exported(other)).toString().split('\n')[0]!)).toMatchObject({ time_us: START_US })
})
