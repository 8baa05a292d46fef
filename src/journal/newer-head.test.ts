import { expect, test } from 'vitest'
import { aMachine, directory, openJournal, texts, told } from './fixtures.ts'
import { journalPaths } from './paths.ts'

const paths = journalPaths(directory)

/** A closed journal with a frame, whose head says that a newer release has written it, and where that one ended. */
async function newer(ahead: number, slots = 2) {
  const machine = aMachine()
  const journal = await openJournal(machine.world)
  journal.append(told('spin30', 'a'))
  await journal.close()
  const { files } = machine.world
  const head = await files.readFile(paths.head)
  const half = head.length / 2
  for (let slot = 0; slot < slots; slot++) {
    Buffer.from('UNDERSTUDY HEAD\n').copy(head, slot * half)
    head.writeUInt32BE(2, slot * half + 16)
    head.writeBigUInt64BE(BigInt(journal.nextPosition + ahead), slot * half + 20)
  }
  await files.writeFile(paths.head, head)
  return { machine, end: journal.nextPosition, head }
}

test.each([
  [0, 2],
  [0, 1],
  [5_000_000, 2]
])('numbers go on above what a newer release has used, %i further on, and its head is kept', async (ahead, slots) => {
  const { machine, end, head } = await newer(ahead, slots)
  const journal = await openJournal(machine.start())
  await journal.repaired()
  const frame = journal.append(told('spin30', 'b'))
  expect(frame.position).toBeGreaterThan(end + ahead)
  expect(frame.seq).toBeGreaterThan(2)
  await journal.commit()
  expect(await texts(journal.range({}))).toEqual(['a', 'b'])
  const { files } = machine.world
  const kept = (await files.list(paths.aside)).map(({ name }) => name).find((name) => name.endsWith('-head'))
  expect(await files.readFile(`${paths.aside}/${kept}`)).toEqual(head)
  const { problems } = await journal.verify()
  if (ahead === 0) expect(problems).toEqual([])
  else expect(problems).toMatchObject([{ kind: 'missing', fromPosition: end, toPosition: end + ahead - 1 }])
  await journal.close()
  const again = await openJournal(machine.start())
  expect(again.append(told('spin30', 'c')).seq).toBe(frame.seq + 1)
})

test('where head and catalogue are both lost, no position is used again', async () => {
  const { machine, end } = await newer(0)
  const { files } = machine.world
  await files.remove(paths.head)
  await files.remove(paths.catalogue)
  const journal = await openJournal(machine.start())
  expect(journal.append(told('spin30', 'b')).position).toBeGreaterThan(end + 1000)
})
