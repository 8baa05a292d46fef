import { expect } from 'vitest'
import { Dice } from '../../src/sim/world/dice.ts'

/** What chance comes from: another number each time, or UNDERSTUDY_SEED to repeat a failure. */
export const seed = Number(process.env['UNDERSTUDY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/**
 * Does something again and again, each time with dice that depend on the seed, the test's name and the round's number
 * only, so that a round is the same whatever came before. A failure says what repeats it.
 */
export async function rounds(count: number, work: (dice: Dice, round: number) => Promise<void>): Promise<void> {
  const { currentTestName } = expect.getState()
  const only = process.env['UNDERSTUDY_ROUND']
  for (let round = 0; round < count; round++) {
    if (only !== undefined && Number(only) !== round) continue
    try {
      await work(new Dice(seed).fork(`${currentTestName} ${round}`), round)
    } catch (error) {
      if (error instanceof Error) {
        error.message = `${error.message}\n(again: UNDERSTUDY_SEED=${seed} UNDERSTUDY_ROUND=${round})`
      }
      throw error
    }
  }
}
