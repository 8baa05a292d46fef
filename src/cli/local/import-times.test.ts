import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exportToOutput } from '../../captures/export.ts'
import { envelope } from '../../captures/formats/envelope.ts'
import { type ImportReport, importLines } from '../../captures/import.ts'
import { aMachine, openJournal, START_US, told } from '../../journal/fixtures.ts'
import type { Journal } from '../../journal/journal.ts'
import { appendImported } from './intake.ts'

/** What is exported, imported elsewhere, and exported again. */

async function exported(journal: Journal): Promise<Buffer> {
  const written: Buffer[] = []
  await exportToOutput(async (data) => void written.push(data), journal, { query: {}, format: envelope })
  return Buffer.concat(written)
}

function imported(data: Buffer, journal: Journal): Promise<ImportReport> {
  const content = (async function* () {
    yield data
  })()
  return importLines(content, {
    range: (query) => journal.range(query),
    firstPosition: journal.firstPosition,
    nextPosition: journal.nextPosition,
    append: (frames) => appendImported(journal, frames),
    commit: () => journal.commit()
  })
}

/** The lines, without what an import changes: the numbers, and where a frame came from. */
function linesOf(data: Buffer): object[] {
  return data
    .toString()
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { seq: _, origin: __, ...fields } = JSON.parse(line) as Record<string, unknown>
      return fields
    })
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
  expect(linesOf(await exported(other))).toEqual(linesOf(after))
})

/** A boot of a lab, whose clock may be wrong, and right later. */
const aBoot = fc.record({
  clockUs: fc.option(fc.integer({ min: 0, max: 2 * START_US })),
  frames: fc.integer({ min: 1, max: 4 }),
  isSetRight: fc.boolean()
})

test('times, what the clock said, and what is uncertain outlast an import, another start, and a merge', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aBoot, { minLength: 1, maxLength: 4 }), fc.nat(), async (boots, seed) => {
      const machine = aMachine(seed)
      const run = <T>(work: Promise<T>): Promise<T> => machine.simulation.complete(work)
      let journal: Journal | undefined
      for (const { clockUs, frames, isSetRight } of boots) {
        if (journal) await run(journal.close())
        machine.clock.setSynchronised(clockUs === null)
        machine.clock.setWall(clockUs ?? machine.simulation.trueWallUs)
        machine.boot()
        journal = await run(openJournal(machine.world))
        const append = (): void => {
          for (let i = 0; i < frames; i++) journal!.append(told('spin30', JSON.stringify({ i: Math.floor(i / 2) })))
        }
        append()
        await machine.simulation.run(2000)
        if (isSetRight) {
          machine.clock.setWall(machine.simulation.trueWallUs)
          machine.clock.setSynchronised(true)
          await machine.simulation.run(11_000)
          append()
        }
        await machine.simulation.run(2000)
      }
      const first = await run(exported(journal!))
      const other = machine.simulation.machine('elsewhere')
      const elsewhere = await run(openJournal(other.world, { storeBytes: 500 }))
      elsewhere.append(told('spin31', '{"b":1}'))
      await run(imported(first, elsewhere))
      elsewhere.append(told('spin31', '{"b":2}'))
      expect(await run(imported(first, elsewhere))).toMatchObject({ appended: 0 })
      await run(elsewhere.merged())
      await run(elsewhere.close())
      const again = await run(openJournal(other.start()))
      const ofLab = (lines: object[]): object[] => lines.filter((line) => !JSON.stringify(line).includes('spin31'))
      const byTime = (lines: object[]): string[] => lines.map((line) => JSON.stringify(line)).sort()
      expect(byTime(ofLab(linesOf(await run(exported(again)))))).toEqual(byTime(linesOf(first)))
    }),
    { numRuns: 60 }
  )
})
