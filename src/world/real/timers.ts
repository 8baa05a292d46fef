import { schedule } from 'node-cron'
import type { Ms, Timer, Timers } from '../time.ts'

/** The longest that setTimeout can wait; it takes more for 1 ms. */
const LONGEST_MS = 2 ** 31 - 1

export const realTimers: Timers = {
  after(ms, run) {
    let timeout: NodeJS.Timeout
    const wait = (left: Ms): void => {
      timeout = left > LONGEST_MS ? setTimeout(wait, LONGEST_MS, left - LONGEST_MS) : setTimeout(run, left)
    }
    wait(ms)
    return { cancel: () => clearTimeout(timeout) }
  },
  every(ms, run): Timer {
    const interval = setInterval(run, ms)
    return { cancel: () => clearInterval(interval) }
  },
  cron(expression, run): Timer {
    const task = schedule(expression, run, { suppressMissedWarning: true })
    return { cancel: () => void task.destroy() }
  },
  afterInput(run) {
    // Between two rounds of setImmediate the event loop has polled once: whatever was ready has been delivered.
    setImmediate(() => setImmediate(run))
  }
}
