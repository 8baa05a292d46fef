import { expect, test } from 'vitest'
import { NOW_MS, report, stream } from '../health/fixtures.ts'
import { judge } from '../health/judge.ts'
import { metricsText } from './metrics.ts'

const text = async (changes: Parameters<typeof report>[0] = {}): Promise<string> => {
  const given = report(changes)
  return (await metricsText(given, judge(given))).text
}

test('names, types and units are as Prometheus wants them', async () => {
  const lines = (await text()).split('\n').filter((line) => line !== '')
  for (const line of lines) {
    expect(line).toMatch(
      /^(# HELP understudy_\w+ .+\.|# TYPE understudy_\w+ (gauge|counter)|understudy_\w+(\{(\w+="[^"]*",?)+\})? [\d.e+]+)$/
    )
  }
  const counters = lines.flatMap((line) => /^# TYPE (\w+) counter$/.exec(line)?.[1] ?? [])
  for (const name of counters) expect(name).toMatch(/_total$/)
})

test('they say what the report and the verdict say', async () => {
  const streams = [
    stream({ frames: 7, lastFrameMs: NOW_MS }),
    stream({ stream: 'spin31', state: 'unheard', unheardSinceMs: NOW_MS - 3_600_000 })
  ]
  const found = await text({ streams })
  expect(found).toContain('understudy_verdict{state="failing"} 1')
  expect(found).toContain('understudy_verdict{state="ok"} 0')
  expect(found).toContain('understudy_reasons{rule="stream-unheard",state="failing"} 1')
  expect(found).toContain('understudy_stream_heard{stream="spin31"} 0')
  expect(found).toContain('understudy_stream_frames_total{stream="spin30"} 7')
  expect(found).toContain(`understudy_stream_last_frame_timestamp_seconds{stream="spin30"} ${NOW_MS / 1000}`)
})

test('what is not known is absent', async () => {
  const found = await text({ sync: undefined })
  for (const name of ['temperature_celsius', 'sync_confirmed_folders', 'primary_available', 'last_frame_timestamp']) {
    expect(found).not.toContain(name)
  }
})
