import { expect, test } from 'vitest'
import { Simulation } from './simulation.ts'

test('a boot has an id of its own, and monotonic time from its beginning', async () => {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  const first = pi.world.clock.boot
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  await simulation.run(5000)
  pi.kill()
  expect(pi.start().clock.boot).toBe(first)
  expect(pi.clock.monoUs()).toBe(5_000_000)
  pi.boot()
  expect(pi.clock.boot).not.toBe(first)
  expect(pi.clock.monoUs()).toBe(0)
})

test('the wall clock steps, drifts and may not be synchronised; monotonic time never steps', async () => {
  const simulation = new Simulation(1, { startWallUs: 1_000_000_000 })
  const { clock } = simulation.machine('pi')
  expect(await clock.synchronised()).toBe(true)
  clock.setSynchronised(false)
  expect(await clock.synchronised()).toBe(false)
  clock.step(-400_000_000)
  expect([clock.wallUs(), clock.monoUs()]).toEqual([600_000_000, 0])
  clock.setDrift(100)
  await simulation.run(10_000)
  expect([clock.wallUs(), clock.monoUs()]).toEqual([610_001_000, 10_001_000])
  clock.setDrift(0)
  clock.setWall(0)
  await simulation.run(1000)
  expect([clock.wallUs(), clock.monoUs()]).toEqual([1_000_000, 11_001_000])
})

test('a timer runs at its time, repeats, and can be cancelled', async () => {
  const simulation = new Simulation(1)
  const { timers } = simulation.machine('pi').world
  const seen: string[] = []
  timers.after(25, () => seen.push('once'))
  timers.after(25, () => seen.push('never')).cancel()
  const every = timers.every(10, () => {
    seen.push(`every ${simulation.nowUs}`)
    if (seen.length === 4) every.cancel()
  })
  await simulation.run(100)
  expect(seen).toEqual(['every 10000', 'every 20000', 'once', 'every 30000'])
})

test('after a stall timers are late, none catches up, and input follows them', async () => {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  const { timers, files } = pi.world
  pi.disk.pace = { changeUs: [5_000, 5_000], syncUs: [5_000, 5_000] }
  const seen: string[] = []
  const note = (what: string): void => {
    seen.push(`${what} ${simulation.nowUs / 1000}`)
  }
  timers.every(10, () => note('every'))
  timers.after(15, () => timers.afterInput(() => note('after input')))
  void files.makeDirectory('/a').then(() => note('made'))
  pi.stall(33)
  await simulation.run(45)
  expect(seen).toEqual(['every 33', 'made 33', 'after input 33', 'every 43'])
})

test.each(['kill', 'cutPower'] as const)('after %s nothing reaches the process any more', async (end) => {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  const { timers, files } = pi.world
  pi.disk.pace = { changeUs: [1000, 1000], syncUs: [1000, 1000] }
  const seen: string[] = []
  timers.every(1, () => seen.push('timer'))
  void files.writeFile('/a', 'x').then(
    () => seen.push('written'),
    () => seen.push('failed')
  )
  pi[end]()
  void files.list('/').then(() => seen.push('listed'))
  await simulation.run(100)
  expect(seen).toEqual([])
})

test('programs are those of the test', async () => {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  const { programs } = pi.world
  pi.programs.set('echo', async (args) => ({ code: 0, stdout: args.join(' ') }))
  pi.programs.set('hang', () => new Promise(() => {}))
  expect(await programs.run('echo', ['a', 'b'], { timeoutMs: 10 })).toEqual({ code: 0, stdout: 'a b', stderr: '' })
  await expect(programs.run('rsync', [], { timeoutMs: 10 })).rejects.toMatchObject({ code: 'ENOENT' })
  const { code } = await simulation.complete(programs.run('hang', [], { timeoutMs: 10 }))
  expect(code).toBe(-1)
  const wanted = new AbortController()
  const unwanted = programs.run('hang', [], { timeoutMs: 1e6, signal: wanted.signal })
  wanted.abort()
  expect((await simulation.complete(unwanted)).code).toBe(-1)
  expect(simulation.nowUs).toBe(10_000)
})
