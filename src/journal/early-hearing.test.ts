import { expect, test } from 'vitest'
import { EarlyHearing } from './early-hearing.ts'
import { aMachine, directory, silent, writerOptions } from './fixtures.ts'
import { Journal } from './journal.ts'

test('a stream was heard up to its last proof, also when a frame came between two proofs', async () => {
  const { world, simulation } = aMachine()
  const early = await EarlyHearing.start(world, directory, true)
  early.added('spin30')
  early.heard('spin30')
  early.proof('spin30')
  await simulation.run(5000)
  early.frame('spin30', Buffer.from('a'), false)
  await simulation.run(95_000)
  early.proof('spin30')
  await simulation.run(1000)
  early.lost('spin30', 'disconnected')
  const options = { ...writerOptions, clockTrusted: true }
  const journal = await simulation.complete(Journal.open(world, options, silent, early))
  journal.takeOver(early)
  await simulation.complete(journal.commit())
  expect(await simulation.complete(journal.coverage())).toMatchObject([{ heardUs: 100_000_000 }])
  await simulation.complete(journal.close())
})
