import { beforeEach, describe, expect, test } from 'vitest'
import { aReply, aRequest, five } from './fixtures.ts'
import { Watch } from './watch.ts'

const s = (seconds: number): number => Math.round(seconds * 1e6)
let jitterMs: number
let watch: Watch
let position: number

beforeEach(() => {
  jitterMs = 300
  position = 0
  watch = new Watch({ waitMs: 2000, atOnce: false, jitterMs: () => jitterMs })
})

function ask(at: number, content?: string, user?: string): void {
  watch.requested(aRequest(content, user), { position: ++position, part: 0 }, s(at))
}

/** What is due at a time, in order; nothing is sent. */
function due(at: number): string[] {
  const pending = watch.next(s(at))
  return pending ? pending.owed.map(({ content }) => content) : []
}

/** Answers all that is due, an answer each tenth of a second. */
function answerAll(at: number): string[] {
  const sent: string[] = []
  for (let now = at; ; now += 0.1) {
    watch.judge(s(now))
    const pending = watch.next(s(now))
    if (!pending) return sent
    sent.push(`${pending.request.user} ${pending.owed[0]!.content}`)
    watch.sent(pending, pending.owed[0]!, s(now))
  }
}

/** Makes the primary known as silent, at this time. */
function silence(at: number): void {
  ask(at - 3, 'centroids', 'earlier')
  answerAll(at)
  expect(watch.silent).toBe(true)
}

test('what the primary answers in time is never due', () => {
  ask(0)
  for (const content of five) watch.replied(aReply(content), s(1.9))
  expect(watch.nextUs).toBe(s(2.3))
  expect(watch.judge(s(60))).toBe(undefined)
  expect(watch.nextUs).toBe(undefined)
  expect(due(60)).toEqual([])
  expect(watch.silent).toBe(false)
})

test('what is missing after the wait is due, in the order of the primary', () => {
  ask(0)
  expect(due(2.299)).toEqual([])
  expect(watch.nextUs).toBe(s(2.3))
  expect(due(2.3)).toEqual(five)
  expect(answerAll(2.3)).toEqual(five.map((content) => `ann ${content}`))
})

test('each reply is waited for: after the last one the wait begins anew', () => {
  ask(0)
  watch.replied(aReply('student_graph'), s(0.05))
  watch.replied(aReply('comparison_graph'), s(1))
  expect(due(3.2)).toEqual([])
  expect(due(3.3)).toEqual(five.slice(2))
  expect(watch.judge(s(3.3))).toBe(undefined)
  expect(watch.silent).toBe(false)
})

test('one reply answers all who asked for it before, as a dashboard takes it', () => {
  ask(0, 'centroids')
  ask(0.5, 'centroids')
  watch.replied(aReply('centroids'), s(1))
  ask(1.5, 'centroids')
  expect(due(3.7)).toEqual([])
  expect(due(3.8)).toEqual(['centroids'])
})

test('a reply to somebody else, or to something else, answers nothing', () => {
  ask(0, 'centroids')
  watch.replied(aReply('centroids', 'bob'), s(1))
  watch.replied(aReply('indicators'), s(1))
  expect(due(2.3)).toEqual(['centroids'])
})

describe('silence', () => {
  test('shortens the wait, and is noticed since when', () => {
    ask(0)
    expect(watch.judge(s(2.2))).toBe(undefined)
    expect(watch.judge(s(2.3))).toBe(0)
    expect(watch.judge(s(2.3))).toBe(undefined)
    answerAll(2.3)
    ask(10)
    expect(due(10.39)).toEqual([])
    expect(due(10.4)).toEqual(five)
  })

  test('is none as long as anybody is replied to', () => {
    ask(0, 'centroids', 'whom it fails for')
    watch.replied(aReply('indicators', 'bob'), s(1))
    expect(watch.judge(s(2.3))).toBe(undefined)
    expect(answerAll(2.3)).toEqual(['whom it fails for centroids'])
  })

  test('ends with the first reply, whose stream it is at once', () => {
    silence(10)
    ask(20)
    expect(answerAll(20.4).length).toBe(5)
    ask(30)
    watch.replied(aReply('student_graph'), s(30.3))
    expect(watch.silent).toBe(false)
    expect(due(32.5)).toEqual([])
    expect(due(32.6)).toEqual(five.slice(1))
  })

  test('ends with a late reply too, and what waited for others then waits for it', () => {
    silence(10)
    ask(20, 'centroids', 'bob')
    watch.replied(aReply('centroids', 'earlier'), s(20.2))
    expect(due(22.2)).toEqual([])
    expect(due(22.3)).toEqual(['centroids'])
  })

  test('is noticed also where another Pi was quicker', () => {
    ask(0, 'centroids')
    watch.answered(aReply('centroids'), s(2.1))
    expect(watch.judge(s(2.3))).toBe(0)
    expect(watch.nextUs).toBe(undefined)
  })
})

describe('another Pi', () => {
  test('takes what it answers from this one, and what it leaves after the last is taken up 2 s later', () => {
    silence(10)
    ask(20)
    watch.answered(aReply('student_graph'), s(20.2))
    jitterMs = 600
    watch.answered(aReply('comparison_graph'), s(20.3))
    expect(due(22.8)).toEqual([])
    expect(due(22.9)).toEqual(five.slice(2))
    expect(watch.silent).toBe(true)
  })

  test('that began at the same moment makes both wait', () => {
    silence(10)
    ask(20)
    const pending = watch.next(s(20.4))!
    watch.sent(pending, pending.owed[0]!, s(20.4))
    watch.answered(aReply('student_graph'), s(20.41))
    expect(due(22.7)).toEqual([])
    expect(due(22.71)).toEqual(five.slice(1))
  })

  test('answers one request with one answer', () => {
    silence(10)
    ask(20, 'centroids')
    ask(20.01, 'centroids')
    watch.answered(aReply('centroids'), s(20.2))
    expect(due(20.42)).toEqual(['centroids'])
  })
})

describe('a gap in hearing', () => {
  test('forgets what the primary may have answered unheard', () => {
    ask(0)
    watch.lost()
    expect(due(5)).toEqual([])
    expect(watch.judge(s(5))).toBe(undefined)
    expect(watch.silent).toBe(false)
  })

  test('forgets nothing while the primary is silent; but then it may have come back unheard, and is waited for again', () => {
    silence(10)
    ask(20)
    watch.lost()
    expect(due(22.2)).toEqual([])
    expect(watch.silent).toBe(true)
    expect(answerAll(22.3).length).toBe(5)
    ask(30)
    expect(due(30.4)).toEqual(five)
  })

  test('after another gap forgets what was asked since the first', () => {
    silence(10)
    watch.lost()
    ask(20)
    watch.lost()
    expect(due(25)).toEqual([])
  })

  test('that is only feared holds everything back until it is known', () => {
    ask(0)
    watch.doubted(true)
    expect([due(5), watch.nextUs, watch.judge(s(5))]).toEqual([[], undefined, undefined])
    watch.doubted(false)
    expect(due(5)).toEqual(five)
  })
})

test('what is too old is not answered, but who waits behind others is not too old', () => {
  for (let n = 0; n < 40; n++) ask(0, 'all_feedback', `u${n}`)
  expect(answerAll(2.3).length).toBe(200)
  ask(100)
  expect(due(112.4)).toEqual([])
})

test('what an earlier process answered is answered', () => {
  silence(10)
  ask(20)
  watch.answeredBefore(aReply('student_graph'))
  watch.answeredBefore(aReply('comparison_graph'))
  expect(due(20.4)).toEqual(five.slice(2))
})

test('without a primary everything is due at once', () => {
  watch = new Watch({ waitMs: 2000, atOnce: true, jitterMs: () => 600 })
  ask(0)
  watch.answered(aReply('student_graph'), s(0.001))
  expect(due(0.001)).toEqual(five.slice(1))
})

test('there is an end to what is waited for', () => {
  let taken = 0
  const request = aRequest('centroids')
  while (taken < 5000 && watch.requested(request, { position: taken, part: 0 }, 0)) taken++
  expect(taken).toBe(1000)
})
