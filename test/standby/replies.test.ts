import { describe, expect, test } from 'vitest'
import { Bench, contents, five, joinedAnswers, marks } from './scene.ts'
import { relays, type Scenes, simulatedRelay } from './scenes.ts'

const all = [false, false, false, false, false]
const none = [true, true, true, true, true]

describe.each(relays)('%s', (name, scenes: () => Scenes) => {
  const { inScene } = scenes()

  test('a primary that replies in time is left alone, soon or late', async () => {
    await inScene(async (scene) => {
      const bench = await Bench.open(scene, 'spin30', { afterMs: 50 })
      await scene.startPi(['spin30'], 'answer')
      const soon = await bench.ask('soon')
      expect([contents(soon).sort(), marks(soon)]).toEqual([[...five].sort(), all])
      bench.manner = { afterMs: 1900 }
      const late = await bench.ask('late')
      expect([contents(late).sort(), marks(late)]).toEqual([[...five].sort(), all])
      bench.close()
    })
  })

  test('what a primary leaves out is answered, in its order', async () => {
    await inScene(async (scene) => {
      const bench = await Bench.open(scene, 'spin30', { afterMs: 50, count: 2 })
      await scene.startPi(['spin30'], 'answer')
      const replies = await bench.ask('ann')
      expect(contents(replies)).toEqual(five)
      expect(marks(replies)).toEqual([false, false, true, true, true])
      expect(joinedAnswers(bench.dashboards.received)).toEqual([])
      bench.close()
    })
  })

  test('a primary that is silent, and comes back, on one stream; on the other it is well', async () => {
    await inScene(async (scene) => {
      const [ill, well] = await Promise.all([
        Bench.open(scene, 'spin30'),
        Bench.open(scene, 'spin31', { afterMs: 1900 })
      ])
      await scene.startPi(['spin30', 'spin31'], 'answer')
      const both = async (): Promise<boolean[]> => {
        const [answered, replied] = await Promise.all([ill.ask('ann'), well.ask('bob')])
        expect(contents(replied).sort()).toEqual([...five].sort())
        expect(marks(replied)).toEqual(all)
        expect(contents(answered).sort()).toEqual([...five].sort())
        return marks(answered)
      }
      expect(await both()).toEqual(none)
      expect(contents(ill.dashboards.repliesTo('ann'))).toEqual(five)
      // Known to be silent, it is not waited for long.
      ill.dashboards.ask('soon')
      await ill.until('soon', 1, 1500)
      expect(await both()).toEqual(none)
      ill.manner = { afterMs: 20 }
      expect(await both()).toEqual(all)
      ill.manner = { afterMs: 1900 }
      expect(await both()).toEqual(all)
      ill.manner = undefined
      expect(await both()).toEqual(none)
      expect(joinedAnswers(ill.dashboards.received)).toEqual([])
      expect(marks(well.dashboards.received)).not.toContain(true)
      ill.close()
      well.close()
    })
  })

  test('a request counts what was done before it, and nothing that was done while it waited', async () => {
    await inScene(async (scene) => {
      const bench = await Bench.open(scene, 'spin30')
      await scene.startPi(['spin30'], 'answer')
      const { dashboards } = bench
      const command = (log: string): boolean => {
        const who = { user: 'ann', t: 1, exp: 'spinner', hardware: 'spin30', course: 'cie3' }
        return dashboards.say({ ...who, type: 'analytics', payload: { log, data: { set: 1 } } })
      }
      for (const log of ['voltage', 'voltage', 'speed']) command(log)
      dashboards.ask('ann', 'student_graph')
      for (const log of ['speed', 'position']) command(log)
      await bench.until('ann', 1, 5000)
      const { edges } = dashboards.repliesTo('ann')[0]!.message as { edges: Array<Record<string, unknown>> }
      const weights = edges.map(({ from, to, width }) => `${from}>${to} ${width}`)
      expect(weights.sort()).toEqual(['voltage_step>speed_step 1', 'voltage_step>voltage_step 1'])
      bench.close()
    })
  })

  test('two Pis side by side', async () => {
    await inScene(async (scene) => {
      const bench = await Bench.open(scene, 'spin30', { afterMs: 1500 })
      await scene.startPi(['spin30'], 'answer')
      await scene.startPi(['spin30'], 'answer')
      expect(marks(await bench.ask('ann'))).toEqual(all)
      bench.manner = undefined
      const replies = await bench.ask('ann')
      expect(new Set(contents(replies))).toEqual(new Set(five))
      expect(marks(replies)).not.toContain(false)
      // The second is silenced by the first; but both may have begun within the time of a message on its way.
      expect(replies.length).toBeLessThan(8)
      bench.manner = { afterMs: 50, count: 3 }
      const rest = await bench.ask('ann')
      expect(new Set(contents(rest))).toEqual(new Set(five))
      expect(marks(rest).filter((marked) => !marked).length).toBe(3)
      bench.close()
    })
  })

  test('200 students at once', async () => {
    await inScene(async (scene) => {
      const streams = Array.from({ length: 10 }, (_, index) => `spin${30 + index}`)
      const benches = await Promise.all(streams.map((stream) => Bench.open(scene, stream)))
      await scene.startPi(streams, 'answer')
      const students = Array.from({ length: 20 }, (_, index) => `student ${index}`)
      for (const { dashboards } of benches) for (const student of students) dashboards.ask(student)
      await Promise.all(
        benches.map(async (bench) => {
          for (const student of students) await bench.until(student, 5, 30_000)
        })
      )
      for (const { dashboards } of benches) {
        for (const student of students) expect(contents(dashboards.repliesTo(student))).toEqual(five)
        expect(joinedAnswers(dashboards.received)).toEqual([])
      }
      for (const bench of benches) bench.close()
    })
  })

  // A thousand answers one after the other, which takes two minutes.
  test.runIf(name === simulatedRelay)('200 students at once on one stream', async () => {
    await inScene(async (scene) => {
      const bench = await Bench.open(scene, 'spin30')
      await scene.startPi(['spin30'], 'answer')
      const students = Array.from({ length: 200 }, (_, index) => `student ${index}`)
      for (const student of students) bench.dashboards.ask(student)
      for (const student of students) await bench.until(student, 5, 130_000)
      const { received } = bench.dashboards
      expect(received.length).toBe(1000)
      for (let at = 0; at < 1000; at += 5) {
        expect(contents(received.slice(at, at + 5))).toEqual(five)
        expect(new Set(received.slice(at, at + 5).map(({ user }) => user)).size).toBe(1)
      }
      expect(joinedAnswers(bench.dashboards.received)).toEqual([])
      bench.close()
    })
  })
})
