import { expect, test } from 'vitest'
import type { JournalReader } from '../../journal/reading.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import { sleep } from '../../world/time.ts'
import { answerVerify } from './answers.ts'

test('a verification ends when nobody wants to know any more', async () => {
  const simulation = new Simulation(3)
  const { timers } = simulation.machine('pi').world
  let reached = 0
  const verify: JournalReader['verify'] = async ({ progress } = {}) => {
    for (; reached < 100; reached++) {
      await sleep(timers, 100)
      progress?.(reached, 100)
    }
    throw new Error('not reached')
  }
  const asking = new AbortController()
  const request = { query: new URLSearchParams(), signal: asking.signal } as LocalRequest
  const answer = answerVerify({ verify } as JournalReader, request, timers)
  expect((await simulation.complete(answer.next())).value).toMatchObject([{ progress: [1, 100] }])
  asking.abort()
  await simulation.complete(answer.return(undefined))
  await simulation.run(60_000)
  expect(reached).toBeLessThan(5)
})
