import { parentPort, workerData } from 'node:worker_threads'
import type { Outcome } from './life.ts'
import { liveSeed } from './seed.ts'

/** A life as it is told to whoever waits for it: the log only of one that went wrong. */
export type Told = Omit<Outcome, 'log'> & { readonly log: readonly string[]; readonly tookMs: number }

/** Lives the lives it is asked for, one after the other. */
if (parentPort) {
  const port = parentPort
  const { days } = workerData as { days: number }
  port.on('message', (seed: number) => {
    const beganMs = performance.now()
    void liveSeed(seed, days).then((outcome) => {
      const told: Told = {
        ...outcome,
        log: outcome.broken === undefined ? [] : outcome.log,
        tookMs: performance.now() - beganMs
      }
      port.postMessage(told)
    })
  })
}
