import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InTurn } from './in-turn.ts'

test('one begins when the one before has ended, whether that failed or not, and each gives what is its own', async () => {
  const work = fc.record({ waits: fc.nat(5), fails: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(work, { maxLength: 10 }), async (works) => {
      const turns = new InTurn()
      const seen: string[] = []
      const given = works.map(({ waits, fails }, index) =>
        turns.run(async () => {
          seen.push(`${index} begins`)
          for (let tick = 0; tick < waits; tick++) await undefined
          seen.push(`${index} ends`)
          if (fails) throw new Error(`${index} failed`)
          return index
        })
      )
      await turns.idle()
      expect(seen).toEqual(works.flatMap((_, index) => [`${index} begins`, `${index} ends`]))
      expect(await Promise.allSettled(given)).toEqual(
        works.map(({ fails }, index) =>
          fails ? { status: 'rejected', reason: new Error(`${index} failed`) } : { status: 'fulfilled', value: index }
        )
      )
    })
  )
})

test('what is asked for while others wait comes behind them', async () => {
  const turns = new InTurn()
  const seen: string[] = []
  const first = turns.run(() => {
    void turns.run(() => seen.push('third'))
    seen.push('first')
  })
  void turns.run(() => seen.push('second'))
  await first
  await turns.idle()
  expect(seen).toEqual(['first', 'second', 'third'])
})
