import { beforeEach, describe, expect, test } from 'vitest'
import { Lane } from './reader.ts'
import { StallWatch } from './stall.ts'

const TICK_US = 500_000
let nowUs: number
let pings: number
let partialBytes: number
let said: Array<[fromUs: number, toUs: number, reason: string]>
let doubts: Array<number | undefined>
let lane: Lane
let watch: StallWatch

beforeEach(() => {
  nowUs = 0
  pings = 0
  partialBytes = 0
  said = []
  doubts = []
  lane = new Lane({ pause() {}, resume() {}, partialBytes: () => partialBytes })
  lane.rested = true
  watch = new StallWatch(lane, nowUs, {
    ping: () => ++pings,
    doubted: (fromUs) => doubts.push(fromUs),
    uncertain: (fromUs, toUs, reason) => said.push([fromUs, toUs, reason])
  })
})

/** A tick that takes 1 ms, `lateMs` after it was due. */
function tick(lateMs = 0): void {
  nowUs += TICK_US + lateMs * 1000
  watch.tickEnd({ startUs: nowUs, endUs: nowUs + 1000, lateMs })
}

/** This many messages, each in its own frame or all in one. */
function receive(messages: number, { joined = false, bytes = 20 } = {}): void {
  const message = JSON.stringify({ t: 'x'.repeat(bytes - 8) })
  for (let i = 0; i < (joined ? 1 : messages); i++) watch.frame(Buffer.from(message.repeat(joined ? messages : 1)))
}

describe('after a stall', () => {
  beforeEach(() => tick())

  test.each([true, false])('128 messages leave a doubt (joined: %s)', (joined) => {
    receive(100, { joined })
    tick(10_000)
    watch.pong(1)
    receive(27, { joined })
    tick()
    receive(1)
    tick()
    expect(said).toEqual([[TICK_US, 4 * TICK_US + 10_001_000, 'stalled']])
    tick()
    expect(said).toHaveLength(1)
  })

  test.each([true, false])('fewer prove that nothing was dropped (joined: %s)', (joined) => {
    receive(100, { joined })
    tick(10_000)
    watch.pong(1)
    receive(27, { joined })
    tick()
    tick()
    expect(pings).toBe(1)
    watch.lost(nowUs, 0, false)
    expect(said).toEqual([])
  })

  test('nothing is judged before the pong, nor by that of an earlier ping', () => {
    tick(10_000)
    receive(200)
    for (let i = 0; i < 5; i++) tick()
    watch.pong(undefined)
    watch.pong(0)
    tick()
    tick()
    expect(said).toEqual([])
    watch.pong(2)
    tick()
    tick()
    expect(said).toHaveLength(1)
  })

  test('nothing is judged while a part of a frame is on its way', () => {
    tick(10_000)
    watch.pong(1)
    tick()
    partialBytes = 1000
    tick()
    receive(128, { joined: true })
    partialBytes = 0
    tick()
    expect(said).toHaveLength(1)
  })

  test('a part of a frame does not delay the judgement of a stream that is never without one', () => {
    tick(10_000)
    watch.pong(1)
    receive(200)
    partialBytes = 1000
    tick()
    receive(2)
    tick()
    expect(said).toEqual([])
    receive(1)
    tick()
    expect(said).toHaveLength(1)
  })

  test.each([
    ['garbage', 'x'],
    ['an empty frame', ''],
    ['a message and garbage', '{}x']
  ])('what cannot be counted leaves a doubt: %s', (_name, frame) => {
    watch.frame(Buffer.from(frame))
    tick(10_000)
    watch.pong(1)
    tick()
    tick()
    expect(said).toHaveLength(1)
  })

  test('a connection lost before the proof leaves a doubt', () => {
    tick(10_000)
    watch.lost(nowUs + 5, 0, false)
    expect(said).toEqual([[TICK_US, nowUs + 5, 'stalled']])
  })

  test('a connection lost before the late tick leaves a doubt', () => {
    watch.lost(nowUs + 9_000_000, 8500, false)
    expect(said).toEqual([[TICK_US, nowUs + 9_000_000, 'stalled']])
  })

  test('a connection lost without a stall leaves none', () => {
    receive(200)
    watch.lost(nowUs + 100_000, 0, false)
    expect(said).toEqual([])
  })

  test('another stall begins the proof again, and the doubt reaches back to the first', () => {
    tick(10_000)
    watch.pong(1)
    tick(3000)
    receive(128)
    tick()
    tick()
    expect(said).toEqual([])
    watch.pong(2)
    tick()
    tick()
    expect(said).toEqual([[TICK_US, nowUs + 1000, 'stalled']])
  })

  test('a tick that is less than 2 s late is none', () => {
    receive(200)
    tick(1999)
    expect(pings).toBe(0)
    expect(said).toEqual([])
  })
})

describe('after reading was held', () => {
  test('asks when reading goes on, and says so', () => {
    tick()
    watch.held('memory full')
    for (let i = 0; i < 20; i++) tick()
    expect(pings).toBe(0)
    watch.released()
    receive(128)
    watch.pong(1)
    tick()
    tick()
    expect(said).toEqual([[TICK_US, nowUs + 1000, 'memory full']])
  })

  test('says why as far as it was known while it was held', () => {
    watch.held('memory full')
    tick()
    watch.held('disk full')
    watch.held('memory full')
    watch.released()
    receive(128)
    watch.pong(1)
    tick()
    tick()
    expect(said).toMatchObject([[expect.anything(), expect.anything(), 'disk full']])
  })

  test('says nothing when little came', () => {
    watch.held('disk full')
    tick()
    watch.released()
    receive(127)
    watch.pong(1)
    tick()
    tick()
    expect(said).toEqual([])
  })
})

describe('after an ordinary pause', () => {
  test('128 messages and 64 kB are an overrun', () => {
    tick()
    receive(128, { bytes: 512 })
    tick()
    expect(said).toEqual([[TICK_US, nowUs + 1000, 'overrun']])
  })

  test.each([
    ['too few messages', 127, 2000],
    ['too few bytes', 2000, 32]
  ])('%s', (_name, messages, bytes) => {
    receive(messages, { bytes })
    tick()
    tick()
    expect(said).toEqual([])
  })

  test('a stream that is read at once has no pause, unless the loop was late', () => {
    lane.rested = false
    receive(128, { bytes: 512 })
    tick(249)
    expect(said).toEqual([])
    receive(128, { bytes: 512 })
    tick(250)
    expect(said).toHaveLength(1)
  })

  test('one large message is none', () => {
    receive(1, { bytes: 10 * 1024 * 1024 })
    tick()
    tick()
    expect(said).toEqual([])
  })

  test('what waited behind a large frame belongs to the same pause, however long it was on its way', () => {
    tick()
    partialBytes = 5_000_000
    tick()
    lane.rested = false
    tick()
    partialBytes = 0
    receive(1, { bytes: 10_000_000 })
    tick()
    expect(said).toEqual([])
    receive(128)
    tick()
    expect(said).toEqual([[TICK_US, nowUs + 1000, 'overrun']])
  })

  test('load that lasts does not add up', () => {
    for (let i = 0; i < 10; i++) {
      receive(100, { bytes: 200 })
      tick()
      lane.rested = false
    }
    expect(said).toEqual([])
  })
})

test('a doubt is told when it begins, and again when it is settled', () => {
  tick()
  tick(10_000)
  expect(doubts).toEqual([TICK_US])
  watch.pong(pings)
  tick()
  tick()
  expect(doubts).toEqual([TICK_US, undefined])
  expect(said).toEqual([])
})
