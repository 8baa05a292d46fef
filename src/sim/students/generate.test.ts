import { describe, expect, it } from 'vitest'
import { messages, spinners } from './generate.ts'

const streams = [...spinners(10), 'pend30', 'pend31']
const sample = [...messages({ seed: 7, streams, count: 20_000 })]
const parsed = sample.map(({ text }) => ({ text, value: JSON.parse(text) }))

function meanBytes(chosen: (value: { type?: string; payload: { log?: string } }) => boolean): number {
  const sizes = parsed.filter(({ value }) => chosen(value)).map(({ text }) => Buffer.byteLength(text))
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length
}

describe('simulated students', () => {
  it('send the same from the same seed, and something else from another', () => {
    const first = (seed: number): string[] => [...messages({ seed, streams, count: 50 })].map(({ text }) => text)
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
  })

  it('send in order of time, on every stream, at a person’s pace', () => {
    for (const [i, { tMs }] of sample.entries()) expect(tMs).toBeGreaterThanOrEqual(sample[i - 1]?.tMs ?? 0)
    expect(new Set(sample.map(({ stream }) => stream))).toEqual(new Set(streams))
    const seconds = (sample.at(-1)!.tMs - sample[0]!.tMs) / 1000
    expect(sample.length / seconds).toBeGreaterThan(2)
    expect(sample.length / seconds).toBeLessThan(4)
  })

  it('send messages of the sizes seen on the relay', () => {
    const commands = meanBytes(({ type }) => type === 'analytics')
    expect(commands).toBeGreaterThan(184)
    expect(commands).toBeLessThan(215)
    expect(Math.abs(meanBytes(({ type, payload }) => type === 'log' && payload.log === 'click') - 270)).toBeLessThan(15)
    expect(Math.abs(meanBytes(({ payload }) => payload.log === 'achievements') - 2000)).toBeLessThan(300)
  })

  it('send every kind of message', () => {
    const kinds = new Set(
      parsed.map(({ value }) => `${value.type} ${value.payload.log ?? value.payload.content ?? ''}`)
    )
    for (const kind of [
      ...['voltage', 'voltage_ramp', 'speed', 'position_ramp', 'start', 'record'].map((log) => `analytics ${log}`),
      ...['start', 'end', 'click', 'component', 'achievements', 'survey', 'analytics-interaction'].map(
        (log) => `log ${log}`
      ),
      ...['student_graph', 'comparison_graph', 'task_identification', 'indicators', 'centroids', 'task_feedback'].map(
        (content) => `request ${content}`
      ),
      'feedback ',
      'undefined voltage'
    ]) {
      expect(kinds).toContain(kind)
    }
  })

  it('send what lab pages send: the oldest only three fields, the dashboard no hardware', () => {
    const keys = new Set(parsed.map(({ value }) => Object.keys(value).join()))
    expect(keys).toEqual(
      new Set(['user,t,exp,hardware,course,type,payload', 'user,t,exp,course,type,payload', 'user,t,payload'])
    )
  })
})
