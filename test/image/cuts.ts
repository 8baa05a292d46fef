import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Dice } from '../../src/sim/world/dice.ts'
import type { WriteLog } from './write-log.ts'

/** A cut of the power, and what it leaves. */
export interface Cut {
  /** So many entries of the log happened before it, as far as they did. */
  readonly point: number
  /** Of the partition; another cut takes its place. */
  readonly image: string
}

/**
 * Cuts the power at points of a log.
 * @param begin an image of the partition as it was before
 * @param points in order
 */
export async function* cuts(log: WriteLog, begin: string, points: readonly number[], dice: Dice): AsyncGenerator<Cut> {
  const [settledImage, image] = [`${begin}.settled`, `${begin}.cut`]
  copy(begin, settledImage)
  const disk = openSync(settledImage, 'r+')
  let applied = 0
  try {
    for (const [number, point] of points.entries()) {
      const settled = log.settled(point)
      log.apply(disk, applied, settled)
      applied = settled
      copy(settledImage, image)
      const torn = openSync(image, 'r+')
      log.tear(torn, settled, point, dice.fork(`${number}`))
      closeSync(torn)
      yield { point, image }
    }
  } finally {
    closeSync(disk)
    await rm(settledImage)
    await rm(image, { force: true })
  }
}

/** Makes an image of the partition after all that is in the log. */
export function whole(log: WriteLog, begin: string, image: string): void {
  copy(begin, image)
  const disk = openSync(image, 'r+')
  log.apply(disk, 0, log.entries.length)
  closeSync(disk)
}

function copy(from: string, to: string): void {
  execFileSync('cp', ['--sparse=always', from, to])
}
