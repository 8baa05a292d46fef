import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { split } from '../../src/relay/splitter.ts'
import type { World } from '../../src/world/world.ts'
import { openJournal } from '../support/journals.ts'
import { LoopDisk } from '../support/loop-disk.ts'
import { STORE_BYTES } from './recording.ts'

/** What a start finds on the data partition. */
export interface Found {
  /** Each frame's digest, by its position. */
  readonly frames: Map<number, string>
  /** The last number of each stream. */
  readonly kept: Map<string, number>
  /** One above the last entry. */
  nextPosition: number
  /** Whatever needs a person. */
  readonly problems: string[]
}

/**
 * Does with an image of the data partition what a Pi does at its start: it is checked, mounted, and opened by Understudy.
 * The image is gone then.
 */
export async function start(world: World, image: string): Promise<Found> {
  const found: Found = { frames: new Map(), kept: new Map(), nextPosition: 0, problems: [] }
  if (!isMended(image)) found.problems.push('e2fsck gives up')
  try {
    const disk = await LoopDisk.mount(image)
    try {
      await read(world, disk.path, found)
    } finally {
      await disk.remove()
    }
  } catch (error) {
    found.problems.push(String(error))
  }
  return found
}

/** The Pi tries again where it could not be mended; its check does not pass over what seems to be clean. */
function isMended(image: string): boolean {
  for (let tries = 0; tries < 3; tries++) {
    const { status } = spawnSync('e2fsck', ['-f', '-y', image])
    if (status === 0 || status === 1) return true
  }
  return false
}

async function read(world: World, directory: string, found: Found): Promise<void> {
  const { frames, kept, problems } = found
  const errors: string[] = []
  const error = (fields: object, text: string): void => void errors.push(`${text} ${JSON.stringify(fields)}`)
  const journal = await openJournal(
    world,
    directory,
    { storeBytes: STORE_BYTES },
    { debug() {}, info() {}, warn() {}, error }
  )
  try {
    found.nextPosition = journal.nextPosition
    for await (const batch of journal.range({})) {
      for (const { position, stream, seq, payload } of batch) {
        frames.set(position, createHash('sha256').update(`${stream} ${seq} `).update(payload).digest('base64'))
        for (const { start, end } of split(payload)) {
          kept.set(stream, JSON.parse(payload.toString('utf8', start, end)).number)
        }
      }
    }
    // What is found damaged is a problem, although it is mended, unless nothing was in it yet.
    if (frames.size > 0) problems.push(...errors)
    for (const problem of (await journal.verify()).problems) problems.push(JSON.stringify(problem))
  } finally {
    await journal.close()
  }
}
