import { expect, test } from 'vitest'
import { Dashboards } from '../../src/sim/students/dashboard.ts'
import { sleep } from '../../src/world/time.ts'
import { expectSame, golden } from '../support/golden.ts'
import { SimulatedScene } from './simulated.ts'

test('all that the primary really answered, message by message, where there is none', async () => {
  const scene = new SimulatedScene(217)
  const { relay, simulation, world } = scene
  let checked = 0
  const play = async (): Promise<void> => {
    await relay.start()
    await scene.startPi(['spin30'], 'always')
    const dashboards = new Dashboards(world, relay, 'spin30')
    await dashboards.join()
    for (const { messages, answers } of golden) {
      for (const [index, message] of messages.entries()) {
        const before = dashboards.received.length
        dashboards.say(message)
        const theirs = answers[index] ?? []
        while (theirs.length > 0 && dashboards.received.length < before + theirs.length) {
          await sleep(world.timers, 50)
        }
        const ours = dashboards.received.slice(before)
        expect(ours.every(({ marked, user }) => marked && user === message.user)).toBe(true)
        expectSame(
          ours.map((reply) => reply.message),
          theirs,
          'answers'
        )
        checked += ours.length
      }
    }
    dashboards.leave()
    await scene.appliances[0]!.stop()
  }
  await simulation.complete(play(), 3_600_000)
  expect(checked).toBe(217)
})
