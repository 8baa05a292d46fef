import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { speaking } from './fixtures.ts'
import { realTimers } from './timers.ts'

test('runs once, after its time', () => {
  vi.useFakeTimers()
  const run = vi.fn()
  realTimers.after(100, run)
  vi.advanceTimersByTime(99)
  expect(run).toHaveBeenCalledTimes(0)
  vi.advanceTimersByTime(1000)
  expect(run).toHaveBeenCalledTimes(1)
  vi.useRealTimers()
})

test('waits longer than setTimeout can, and can be cancelled on the way', () => {
  vi.useFakeTimers()
  const day = 24 * 3600 * 1000
  const run = vi.fn()
  const never = vi.fn()
  realTimers.after(60 * day, run)
  const timer = realTimers.after(60 * day, never)
  vi.advanceTimersByTime(59 * day)
  timer.cancel()
  expect(run).toHaveBeenCalledTimes(0)
  vi.advanceTimersByTime(2 * day)
  expect(run).toHaveBeenCalledTimes(1)
  expect(never).toHaveBeenCalledTimes(0)
  vi.useRealTimers()
})

test('repeats until cancelled', () => {
  vi.useFakeTimers()
  const run = vi.fn()
  const timer = realTimers.every(10, run)
  vi.advanceTimersByTime(35)
  timer.cancel()
  vi.advanceTimersByTime(35)
  expect(run).toHaveBeenCalledTimes(3)
  vi.useRealTimers()
})

test('input that is ready comes first', async () => {
  const accepted = Promise.withResolvers<Socket>()
  const client = connect(await speaking(accepted.resolve), '127.0.0.1')
  const server = await accepted.promise
  await once(client.on('data', () => order.push('input')).setNoDelay(), 'ready')
  const order: string[] = []
  for (let round = 0; round < 20; round++) {
    server.write('x')
    await new Promise<void>((resolve) => realTimers.afterInput(resolve))
    order.push('after')
  }
  expect(order).toEqual(Array.from({ length: 20 }, () => ['input', 'after']).flat())
  client.destroy()
})

test('ticks by a cron expression until cancelled', () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 2, 8, 0, 30) })
  const run = vi.fn()
  const timer = realTimers.cron('* * * * *', run)
  return vi.advanceTimersByTimeAsync(180_000).then(async () => {
    const times = run.mock.calls.length
    expect(times).toBeGreaterThanOrEqual(2)
    timer.cancel()
    await vi.advanceTimersByTimeAsync(180_000)
    expect(run).toHaveBeenCalledTimes(times)
    vi.useRealTimers()
  })
})
