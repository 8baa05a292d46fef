import { expect, test } from 'vitest'
import { sleep } from '../../world/time.ts'
import { Simulation } from './simulation.ts'

test('runs events by time, then in the order they were scheduled', async () => {
  const simulation = new Simulation(1)
  const seen: string[] = []
  simulation.schedule(2000, () => seen.push('c'))
  simulation.schedule(1000, () => seen.push('a'))
  simulation.schedule(1000, () => seen.push('b'))
  simulation.schedule(3001, () => seen.push('too late'))
  await simulation.run(3)
  expect(seen).toEqual(['a', 'b', 'c'])
  expect(simulation.nowUs).toBe(3000)
})

test("an event's promise jobs have all run before the next event", async () => {
  const simulation = new Simulation(1)
  const { timers, files } = simulation.machine('pi').world
  const seen: string[] = []
  const rewrite = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) {
      await files.writeFile('/a', String(i))
      seen.push((await files.readFile('/a')).toString())
    }
  }
  timers.after(1, () => void rewrite())
  timers.after(1, () => seen.push('next'))
  await simulation.run(1)
  expect(seen).toEqual([...Array.from({ length: 50 }, (_, i) => String(i)), 'next'])
})

test('runs until a condition holds or a promise settles, and says when it does not', async () => {
  const simulation = new Simulation(1)
  const { timers } = simulation.machine('pi').world
  expect(await simulation.complete(sleep(timers, 250).then(() => 'awake'))).toBe('awake')
  expect(simulation.nowUs).toBe(250_000)
  await expect(simulation.runUntil(() => false, 10)).rejects.toThrow('not so after 10 simulated ms')
  await expect(simulation.complete(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

test('an error thrown in an event ends the run with it', async () => {
  const simulation = new Simulation(1)
  simulation.schedule(1, () => {
    throw new Error('broken')
  })
  await expect(simulation.run(1)).rejects.toThrow('broken')
})

/** A server that talks, a client that stores what it hears and is cut off now and then. */
async function life(seed: number): Promise<string[]> {
  const simulation = new Simulation(seed)
  const log: string[] = []
  const note = (what: string): void => {
    log.push(`${simulation.nowUs} ${what}`)
  }
  const relay = simulation.machine('relay').world
  const pi = simulation.machine('pi')
  pi.disk.pace = { changeUs: [20, 400], syncUs: [1000, 8000] }
  await simulation.complete(
    relay.sockets.serve(
      { host: '0.0.0.0', port: 80 },
      {
        request: async () => undefined,
        connected(connection) {
          const timer = relay.timers.every(40, () => connection.send(relay.random.bytes(100)))
          return { message() {}, pong() {}, ping: () => true, closed: () => timer.cancel() }
        }
      }
    )
  )
  for (let round = 0; round < 5; round++) {
    const { sockets, stores, random } = pi.boot()
    const store = await simulation.complete(stores.open('/journal', { create: round === 0 }))
    let kept = 0
    for await (const _ of [1]) kept = (await simulation.complete(store.scan({}).next(1e6))).length
    note(`boot ${round} has ${kept}`)
    sockets.connect(
      'ws://relay/',
      { handshakeTimeoutMs: 5000, maxPayloadBytes: 1000 },
      {
        opened: () => note('opened'),
        message(payload) {
          note(payload.toString('hex'))
          const key = Buffer.from(String(simulation.nowUs).padStart(12, '0'))
          store.batch([{ type: 'put', key, value: payload }], { sync: random.fraction() < 0.3 }).then(
            () => note('stored'),
            (error) => note(error.code)
          )
        },
        ping() {},
        pong() {},
        closed: (code, error) => note(`closed ${code} ${error}`)
      }
    )
    await simulation.run(simulation.dice.int(500, 1500))
    pi.cutPower()
  }
  return log
}

test('the same seed gives the same life, another seed another', async () => {
  const first = await life(7)
  expect(first.length).toBeGreaterThan(100)
  expect(await life(7)).toEqual(first)
  expect(await life(8)).not.toEqual(first)
})
