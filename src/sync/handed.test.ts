import { expect, test } from 'vitest'
import { confirmedBelow, type Handed } from './handed.ts'

/** A folder of the daily capture that was read up to a position of the journal, and is confirmed. */
function aFolder(before: number, fields: Partial<Handed> = {}): Handed {
  return {
    capture: 'daily',
    folder: `day-${before}`,
    manifestSha256: '',
    proof: '',
    bytes: 1,
    sealedUs: before,
    endUs: before,
    before,
    completeBelow: before,
    attempts: 1,
    confirmedMs: 1,
    ...fields
  }
}

function below(folders: readonly Handed[], firstPosition = 1): number {
  return confirmedBelow(folders, (capture) => capture === 'daily', firstPosition)
}

test('nothing is confirmed behind a folder that is not', () => {
  expect(below([aFolder(100), aFolder(200), aFolder(300)])).toBe(300)
  expect(below([aFolder(100), { ...aFolder(200), fault: 'gone' }, aFolder(300)])).toBe(100)
})

test('also where the clock was set back, and a later folder is sealed at an earlier time', () => {
  const unconfirmed = { ...aFolder(200, { sealedUs: 2000 }), fault: 'gone' } as const
  expect(below([aFolder(100, { sealedUs: 1000 }), aFolder(300, { sealedUs: 1500 }), unconfirmed])).toBe(100)
})

test('a folder removed to make room is no break once the journal begins behind it', () => {
  const { confirmedMs: _, ...rest } = aFolder(200)
  const folders = [aFolder(100), { ...rest, removed: 'room' } as const, aFolder(300)]
  expect(below(folders, 150)).toBe(100)
  expect(below(folders, 200)).toBe(300)
})
