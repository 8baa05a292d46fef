import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Ms } from '../../src/world/time.ts'
import type { Told } from './worker.ts'

/** What many lives came to. */
export interface Summary {
  readonly lives: number
  readonly messages: number
  readonly entries: number
  readonly faults: number
  /** How often something waited when the disk worked again, and the longest time until something was committed then. */
  readonly recoveries: number
  readonly slowestRecoveryMs: Ms
  /** Those in which a promise was broken, by seed. */
  readonly broken: readonly Told[]
}

/**
 * Lives many lives, one on each core at a time.
 * @param options.stopAt after so many broken ones it ends
 * @param options.told called after each
 */
export async function liveMany(options: {
  readonly firstSeed: number
  readonly seeds: number
  readonly days: number
  readonly stopAt?: number
  readonly told?: (life: Told) => void
}): Promise<Summary> {
  const { firstSeed, seeds, days, stopAt = 1 } = options
  const summary = { lives: 0, messages: 0, entries: 0, faults: 0, recoveries: 0, slowestRecoveryMs: 0 }
  const broken: Told[] = []
  let next = firstSeed
  const work = async (worker: Worker): Promise<void> => {
    while (next < firstSeed + seeds && broken.length < stopAt) {
      worker.postMessage(next++)
      const [life] = (await once(worker, 'message')) as [Told]
      summary.lives++
      summary.messages += life.messages
      summary.entries += life.entries
      summary.faults += life.plan.faults.length
      summary.recoveries += life.recoveriesMs.length
      summary.slowestRecoveryMs = Math.max(summary.slowestRecoveryMs, ...life.recoveriesMs)
      if (life.broken !== undefined) broken.push(life)
      options.told?.(life)
    }
  }
  const workers = Array.from({ length: Math.min(availableParallelism(), seeds) }, () => {
    return new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { days },
      // A life makes much that lasts for an instant.
      resourceLimits: { maxYoungGenerationSizeMb: 192 }
    })
  })
  try {
    await Promise.all(workers.map(work))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return { ...summary, broken: broken.sort((a, b) => a.plan.seed - b.plan.seed) }
}
