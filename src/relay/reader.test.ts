import { beforeEach, describe, expect, test } from 'vitest'
import type { World } from '../world/world.ts'
import { type Lane, Reader, type Tick } from './reader.ts'

let nowUs: number
let planned: { atUs: number; run: () => void } | undefined
let afterInput: Array<() => void>
let ticks: Tick[]
let reader: Reader

const world = {
  clock: { monoUs: () => nowUs },
  timers: {
    after(ms: number, run: () => void) {
      planned = { atUs: nowUs + ms * 1000, run }
      return {
        cancel() {
          planned = undefined
        }
      }
    },
    afterInput: (run: () => void) => void afterInput.push(run)
  }
} as unknown as World

/** A socket with frames waiting; each round of a resumed one brings `perRound` of them. */
class FakeSocket {
  waiting: Buffer[] = []
  partial = 0
  perRound = Number.POSITIVE_INFINITY
  paused = false
  pauses = 0
  readonly lane: Lane = reader.add(this)

  pause(): void {
    this.paused = true
    this.pauses++
  }

  resume(): void {
    this.paused = false
  }

  partialBytes(): number {
    return this.partial
  }

  deliver(): void {
    if (this.paused) return
    for (const frame of this.waiting.splice(0, this.perRound)) this.lane.count(frame)
  }
}

function frames(count: number, bytes = 10): Buffer[] {
  return Array.from({ length: count }, () => Buffer.alloc(bytes))
}

/** The next tick, `lateMs` after it is due. Gives the rounds it took. */
function tick(sockets: FakeSocket[], lateMs = 0): number {
  const { atUs, run } = planned!
  nowUs = atUs + lateMs * 1000
  planned = undefined
  run()
  let rounds = 0
  for (; afterInput.length > 0; rounds++) {
    for (const socket of sockets) socket.deliver()
    afterInput.shift()!()
  }
  return rounds
}

function proved(): FakeSocket {
  const socket = new FakeSocket()
  socket.lane.proved = true
  reader.update(socket.lane)
  return socket
}

beforeEach(() => {
  nowUs = 1_000_000
  planned = undefined
  afterInput = []
  ticks = []
  reader = new Reader(world, 500, (tick) => ticks.push(tick))
  reader.start()
})

describe('on a tick', () => {
  test('a paused socket is read until a round brings nothing, and paused again', () => {
    const socket = proved()
    expect(socket.paused).toBe(true)
    socket.waiting = frames(5)
    socket.perRound = 2
    expect(tick([socket])).toBe(4)
    expect(socket.waiting).toEqual([])
    expect(socket.paused).toBe(true)
    expect(ticks).toEqual([{ startUs: 1_500_000, endUs: 1_500_000, lateMs: 0 }])
  })

  test('parts of a large frame count as something', () => {
    const socket = proved()
    let parts = 3
    socket.deliver = () => {
      if (parts > 0) socket.partial += 64 * 1024
      parts--
    }
    expect(tick([socket])).toBe(4)
    expect(socket.paused).toBe(false)
  })

  test('a socket that never ends does not keep the tick from ending', () => {
    const socket = proved()
    socket.waiting = frames(1000)
    socket.perRound = 1
    expect(tick([socket])).toBe(16)
  })

  test('being late is measured, before the tick and in it', () => {
    tick([], 3000)
    tick([])
    expect(ticks.map(({ lateMs }) => lateMs)).toEqual([3000, 0])
    planned!.run()
    nowUs += 2_500_000
    afterInput.shift()!()
    expect(ticks[2]?.lateMs).toBe(2500)
    tick([])
    expect(ticks[3]?.lateMs).toBe(0)
  })

  test('nothing follows a stop, in the middle of a tick too', () => {
    planned!.run()
    reader.stop()
    afterInput.shift()!()
    expect(ticks).toEqual([])
  })
})

describe('read at once is', () => {
  test('a socket that is not proved', () => {
    const socket = new FakeSocket()
    tick([socket])
    expect(socket.pauses).toBe(0)
  })

  test('a live one', () => {
    const socket = proved()
    socket.lane.live = true
    reader.update(socket.lane)
    expect(socket.paused).toBe(false)
    tick([socket])
    expect(socket.pauses).toBe(1)
    expect(socket.lane.rested).toBe(false)
  })

  test.each([
    ['frames', frames(33), frames(17), frames(16)],
    ['bytes', frames(1, 16_385), frames(1, 8193), frames(1, 8192)]
  ])('a busy one, until it brings less than half: %s', (_name, many, fewer, few) => {
    const socket = proved()
    socket.waiting = many
    tick([socket])
    expect(socket.paused).toBe(false)
    socket.waiting = fewer
    tick([socket])
    expect(socket.paused).toBe(false)
    socket.waiting = few
    tick([socket])
    expect(socket.paused).toBe(true)
  })
})

describe('held', () => {
  test('all are paused, and ticks go on', () => {
    const live = new FakeSocket()
    reader.hold('memory full')
    expect(live.paused).toBe(true)
    live.waiting = frames(1)
    expect(tick([live])).toBe(0)
    expect(live.waiting).toHaveLength(1)
    expect(ticks).toHaveLength(1)
    reader.release()
    expect(live.paused).toBe(false)
  })

  test('in the middle of a tick, it ends the reading', () => {
    const socket = proved()
    socket.waiting = frames(10)
    socket.perRound = 1
    planned!.run()
    socket.deliver()
    reader.hold('memory full')
    afterInput.shift()!()
    expect(afterInput).toEqual([])
    expect(socket.waiting).toHaveLength(9)
    expect(socket.paused).toBe(true)
  })

  test('there is one round every 4 s, for the pings', () => {
    const socket = proved()
    reader.hold('memory full')
    const rounds = Array.from({ length: 24 }, () => tick([socket]))
    expect(rounds.filter((count) => count > 0)).toEqual([1, 1, 1])
    expect(socket.paused).toBe(true)
  })

  test('a stream that brings much in those rounds is left alone, until the release', () => {
    const socket = proved()
    reader.hold('memory full')
    socket.waiting = frames(5, 10_000)
    socket.perRound = 1
    for (let i = 0; i < 100; i++) tick([socket])
    expect(socket.waiting).toHaveLength(3)
    reader.release()
    tick([socket])
    expect(socket.waiting).toEqual([])
  })

  test('a held reader lets one stream at a time finish its frame, the largest part first', () => {
    const [small, large, none] = [proved(), proved(), proved()]
    small.partial = 10
    large.partial = 20
    reader.relieve()
    expect([small, large, none].map(({ paused }) => paused)).toEqual([true, true, true])
    reader.hold('memory full')
    reader.relieve()
    reader.relieve()
    expect([small, large, none].map(({ paused }) => paused)).toEqual([true, false, true])
    large.partial = 0
    reader.relieve()
    expect([small, large, none].map(({ paused }) => paused)).toEqual([false, true, true])
    small.partial = 0
    reader.relieve()
    expect([small, large, none].map(({ paused }) => paused)).toEqual([true, true, true])
  })
})
