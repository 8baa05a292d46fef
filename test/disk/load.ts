import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Frame, Position } from '../../src/journal/entry.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import type { World } from '../../src/world/world.ts'
import { append } from '../support/journals.ts'

const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`)
const PERIOD_MS = 50
/** How soon after the cure recording must be going on. */
const AGAIN_MS = 5000

/** Frames that come all the time. */
export class Load {
  readonly frames: Frame[] = []
  readonly #timer: NodeJS.Timeout
  #committed = 0
  #number = 0

  constructor(journal: Journal) {
    for (const stream of streams) {
      journal.hearing.added(stream)
      journal.hearing.heard(stream)
    }
    journal.onCommit(() => {
      this.#committed = journal.nextPosition
    })
    this.#timer = setInterval(() => {
      this.#number++
      for (const stream of streams) {
        this.frames.push(append(journal, stream, this.#number))
        journal.hearing.proof(stream)
      }
    }, PERIOD_MS)
  }

  /** Waits until something is committed that came after this call, and gives how long that took. */
  async again(): Promise<number> {
    const cured = performance.now()
    const position = this.frames.at(-1)!.position + 1
    while (this.#committed <= position) {
      expect(performance.now() - cured).toBeLessThan(AGAIN_MS)
      await sleep(10)
    }
    return performance.now() - cured
  }

  /** Whether nothing that comes from now on is committed for a while. */
  async stands(ms: number): Promise<boolean> {
    const next = this.frames.length
    await sleep(ms)
    return this.#committed <= (this.frames[next]?.position ?? Number.MAX_SAFE_INTEGER)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * What came is in the journal, each frame once, in its place; nothing is wrong, and nothing was lost, so there is no gap.
   * @returns where the journal ends
   */
  async expectWhole(world: World, directory: string): Promise<Position> {
    const reader = await openSnapshot(world, directory)
    try {
      const found: Frame[] = []
      for await (const some of reader.range({})) found.push(...some)
      expect(found.map(essence)).toEqual(this.frames.map(essence))
      expect((await reader.verify()).problems).toEqual([])
      const toUs = this.frames.at(-streams.length)!.wallUs
      for (const { rest, stream } of await reader.coverage({ fromUs: this.frames[0]!.wallUs, toUs })) {
        expect(rest, stream).toEqual([])
      }
      return reader.nextPosition
    } finally {
      await reader.close()
    }
  }
}

function essence({ position, stream, seq, payload }: Frame): unknown {
  return { position, stream, seq, payload: payload.toString('latin1') }
}
