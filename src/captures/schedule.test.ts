import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Schedule, type Window } from './schedule.ts'

const HOUR_US = 3_600_000_000
const HOUR_MS = 3_600_000
const zones = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Etc/UTC']

const us = (iso: string): number => Date.parse(iso) * 1000
const utc = (atUs: number): string => new Date(atUs / 1000).toISOString().slice(0, 16)

function windows(schedule: Schedule, from: string, count: number): Window[] {
  const found: Window[] = []
  for (let window = schedule.after(us(from) - 1); window && found.length < count; ) {
    found.push(window)
    window = schedule.after(window.fromUs)
  }
  return found
}

test.each([
  ['Europe/London', '2026-03-29T00:00Z', 23],
  ['Europe/London', '2026-10-24T23:00Z', 25],
  ['America/New_York', '2026-03-08T05:00Z', 23],
  ['America/New_York', '2026-11-01T04:00Z', 25],
  ['Australia/Lord_Howe', '2026-04-04T13:00Z', 24.5],
  ['Australia/Lord_Howe', '2026-10-03T13:30Z', 23.5],
  ['Asia/Kathmandu', '2026-03-28T18:15Z', 24]
])('the day of a clock change in %s from %s has %d hours', (zone, from, hours) => {
  const [day, next] = windows(new Schedule('0 0 * * *', 24 * HOUR_MS, zone), from, 2)
  expect(day).toMatchObject({ fromUs: us(from), toUs: us(from) + hours * HOUR_US })
  expect(next?.fromUs).toBe(day?.toUs)
})

test.each([
  ['America/New_York', '2026-03-08T05:00Z', '2026-03-08T07:00', '2026-03-08T0300'],
  ['America/New_York', '2026-11-01T04:00Z', '2026-11-01T07:30', '2026-11-01T0230'],
  ['Europe/London', '2026-03-29T00:00Z', '2026-03-29T01:30', '2026-03-29T0230'],
  ['Australia/Lord_Howe', '2026-04-04T13:00Z', '2026-04-04T16:00', '2026-04-05T0230']
])('02:30 in %s on %s is %s', (zone, from, start, label) => {
  const [window] = windows(new Schedule('30 2 * * *', HOUR_MS, zone), from, 1)
  expect(utc(window!.fromUs)).toBe(start)
  expect(window!.label).toBe(label)
})

test('a time that occurs twice runs once, and its window lasts through both', () => {
  const hours = windows(new Schedule('0 * * * *', HOUR_MS, 'Europe/London'), '2026-10-24T23:00Z', 4)
  expect(hours.map(({ label, fromUs, toUs }) => [label, utc(fromUs), (toUs - fromUs) / HOUR_US])).toEqual([
    ['2026-10-25T0000', '2026-10-24T23:00', 1],
    ['2026-10-25T0100', '2026-10-25T00:00', 2],
    ['2026-10-25T0200', '2026-10-25T02:00', 1],
    ['2026-10-25T0300', '2026-10-25T03:00', 1]
  ])
})

test('times that do not exist run at the next minute that does, and once', () => {
  const hours = windows(new Schedule('0,30 * * * *', HOUR_MS / 2, 'Europe/London'), '2026-03-29T00:30Z', 3)
  expect(hours.map(({ label }) => label)).toEqual(['2026-03-29T0030', '2026-03-29T0200', '2026-03-29T0230'])
  const lordHowe = windows(new Schedule('15 2 * * *', HOUR_MS, 'Australia/Lord_Howe'), '2026-10-03T13:30Z', 1)
  expect(lordHowe.map(({ label, fromUs }) => [label, utc(fromUs)])).toEqual([['2026-10-04T0230', '2026-10-03T15:30']])
})

test('a window that ends where its time does not exist is not empty', () => {
  const [window] = windows(new Schedule('30 1 * * *', HOUR_MS / 2, 'Europe/London'), '2026-03-29T00:00Z', 1)
  expect([window!.label, window!.toUs - window!.fromUs]).toEqual(['2026-03-29T0200', HOUR_US / 2])
})

test('a day without a midnight begins when it begins', () => {
  const [day] = windows(new Schedule('0 0 * * *', 24 * HOUR_MS, 'Africa/Cairo'), '2026-04-23T12:00Z', 1)
  expect([day!.label, utc(day!.fromUs)]).toEqual(['2026-04-24', '2026-04-23T22:00'])
})

test('only windows of one a day are named by the date alone', () => {
  const label = (expression: string, hours: number) =>
    windows(new Schedule(expression, hours * HOUR_MS, 'Etc/UTC'), '2026-05-01T00:00Z', 1)[0]!.label
  expect(label('0 0 * * *', 24)).toBe('2026-05-01')
  expect(label('0 9 * * 1-5', 48)).toBe('2026-05-01')
  expect(label('0 0,12 * * *', 24)).toBe('2026-05-01T0000')
  expect(label('0 9 * * 1-5', 9)).toBe('2026-05-01T0900')
})

const anExpression = fc.constantFrom('0 0 * * *', '0 * * * *', '30 2 * * *', '*/10 * * * *', '0 9 * * 1-5', '0 0 1 * *')
const aYear = fc.integer({ min: us('2026-01-01T00:00Z') / 1e6, max: us('2027-01-01T00:00Z') / 1e6 })

test('windows follow each other, are found again by what they hold, and have names of their own', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones, 'America/St_Johns'), anExpression, aYear, (zone, expression, seconds) => {
      const schedule = new Schedule(expression, expression === '0 0 * * *' ? 24 * HOUR_MS : HOUR_MS, zone)
      const atUs = seconds * 1e6
      const next = schedule.after(atUs)!
      const then = schedule.after(next.fromUs)!
      expect(next.fromUs).toBeGreaterThan(atUs)
      expect(then.fromUs).toBeGreaterThan(next.fromUs)
      expect(then.label).not.toBe(next.label)
      expect(next.toUs).toBeGreaterThan(next.fromUs)
      expect(schedule.after(next.fromUs - 1)).toEqual(next)
      expect(schedule.holding(next.fromUs)).toContainEqual(next)
      expect(schedule.holding(next.toUs - 1)).toContainEqual(next)
      expect(schedule.holding(next.toUs)).not.toContainEqual(next)
      const ended = schedule.endedBy(next.toUs)!
      expect(ended.toUs).toBeLessThanOrEqual(next.toUs)
      expect(ended.fromUs).toBeGreaterThanOrEqual(next.fromUs)
      if (expression === '0 0 * * *' || expression === '0 * * * *') expect(then.fromUs).toBe(next.toUs)
    })
  )
})

test('what holds an instant does not depend on what was asked before', () => {
  const anHour = fc.integer({ min: 0, max: 48 * 4 })
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      anExpression,
      aYear,
      fc.constantFrom(2.5, 24, 49),
      fc.array(anHour),
      (zone, expression, seconds, hours, quarters) => {
        const schedule = new Schedule(expression, hours * HOUR_MS, zone)
        for (const quarter of quarters) {
          const atUs = seconds * 1e6 + (quarter * HOUR_US) / 4
          const held = schedule.holding(atUs)
          expect(held).toEqual(new Schedule(expression, hours * HOUR_MS, zone).holding(atUs))
          expect(schedule.holding(atUs)).toBe(held)
        }
      }
    ),
    { numRuns: 50 }
  )
})

test('an answer about an instant is not given for one that an earlier window holds', () => {
  const schedule = new Schedule('0 9 * * 1-5', 2.5 * HOUR_MS, 'Europe/London')
  expect(schedule.holding(us('2027-01-02T11:30Z') + 1e6)).toEqual([])
  expect(schedule.holding(us('2027-01-01T09:00Z') + 1e6).map(({ label }) => label)).toEqual(['2027-01-01T0900'])
})

test('wall time and instants agree wherever the clock does not change', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), aYear, (name, seconds) => {
      const { zone } = new Schedule('0 0 * * *', HOUR_MS, name)
      const atUs = zone.instantUs(zone.wallMs(seconds * 1e6))
      expect(zone.wallMs(atUs)).toBe(zone.wallMs(seconds * 1e6))
      expect(Date.parse(zone.iso(seconds * 1e6))).toBe(seconds * 1e3)
    })
  )
})
