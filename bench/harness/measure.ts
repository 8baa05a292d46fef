import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { atEnd } from './cleanup.ts'
import { Feeder } from './feeder.ts'
import type { Receiver } from './receivers.ts'

/** Waits until a receiver has taken `count` messages; fails when it stays short of them for 10 s. */
export async function allTaken(receiver: Receiver, count: number): Promise<void> {
  for (let [last, still] = [-1, 0]; ; await pause(250)) {
    const taken = await receiver.taken()
    if (taken === count) return
    still = taken === last ? still + 1 : 0
    last = taken
    if (taken > count || still === 40) throw new Error(`a receiver took ${taken} of ${count} messages`)
  }
}

/** Lends a feeder to `work`. */
export async function withFeeder<Result>(
  streamCount: number,
  seed: number,
  work: (feeder: Feeder) => Promise<Result>
): Promise<Result> {
  const feeder = await Feeder.start(streamCount, seed)
  try {
    return await work(feeder)
  } finally {
    feeder.stop()
  }
}

/** Lends an empty folder to `work`. */
export async function withDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-bench-'))
  const remove = atEnd(() => rmSync(directory, { recursive: true, force: true }))
  try {
    return await work(directory)
  } finally {
    remove()
  }
}
