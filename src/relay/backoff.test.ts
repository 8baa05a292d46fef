import { expect, test } from 'vitest'
import type { Random } from '../world/time.ts'
import { Backoff, initialDelay } from './backoff.ts'

const highest: Random = { bytes: (count) => Buffer.alloc(count), fraction: () => 1 }

test('doubles from one second to a minute while the network fails', () => {
  const backoff = new Backoff(highest)
  expect(Array.from({ length: 8 }, () => backoff.next('UNDERSTUDY_RELAY_UNREACHABLE') / 1000)).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60
  ])
})

test('asks every minute to every ten minutes when the relay refuses', () => {
  const backoff = new Backoff(highest)
  expect(Array.from({ length: 6 }, () => backoff.next('UNDERSTUDY_RELAY_DENIED') / 60_000)).toEqual([
    1, 2, 4, 8, 10, 10
  ])
})

test('a connection that ended is followed soon, its refusal is followed slowly', () => {
  const backoff = new Backoff(highest)
  expect(backoff.next()).toBe(1000)
  expect(backoff.next('UNDERSTUDY_RELAY_TOKEN_EXPIRED')).toBe(60_000)
  expect(backoff.next('UNDERSTUDY_NETWORK_TIME_OUT')).toBe(1000)
})

test('begins again after a reset', () => {
  const backoff = new Backoff(highest)
  backoff.next()
  backoff.next()
  backoff.reset()
  expect(backoff.next()).toBe(1000)
})

test('jitter is full', () => {
  const backoff = new Backoff({ ...highest, fraction: () => 0 })
  expect(backoff.next()).toBe(0)
})

test('never overflows', () => {
  const backoff = new Backoff(highest)
  for (let i = 0; i < 5000; i++) expect(backoff.next()).toBeLessThanOrEqual(60_000)
})

test('streams start apart, all within five seconds', () => {
  expect(initialDelay(highest, 1)).toBe(50)
  expect(initialDelay(highest, 12)).toBe(600)
  expect(initialDelay(highest, 1000)).toBe(5000)
})
