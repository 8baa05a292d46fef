import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, NOW_MS, report, stream } from './fixtures.ts'
import { judge, rules } from './judge.ts'
import { defaultLimits } from './limits.ts'
import type { DiskReport, MachineReport, Report } from './report.ts'
import type { Reason } from './verdict.ts'

const base = report()
const unheard = stream({ state: 'unheard', unheardSinceMs: NOW_MS - defaultLimits.unheardMs, cause: 'silent' })

function journal(changes: Partial<Report['journal']>): Partial<Report> {
  return { journal: { ...base.journal, ...changes } }
}

function sync(changes: Partial<NonNullable<Report['sync']>>): Partial<Report> {
  return { sync: { ...base.sync!, ...changes } }
}

function machine(changes: Partial<MachineReport>): Partial<Report> {
  return { machine: { ...base.machine, ...changes } }
}

function disk(changes: Partial<DiskReport>): Partial<Report> {
  return machine({ disks: [{ ...base.machine.disks[0]!, ...changes }] })
}

type Row = readonly [what: string, changes: Partial<Report>, code: string, state: Reason['state'], says: RegExp]

const found: readonly Row[] = [
  ['no streams', { streams: [] }, 'no-streams', 'failing', /no stream/],
  ['a stream unheard', { streams: [unheard] }, 'stream-unheard', 'failing', /spin30 is not heard: silent/],
  [
    'a stream unheard with a code',
    { streams: [{ ...unheard, code: 'UNDERSTUDY_RELAY_DENIED' }] },
    'stream-unheard',
    'failing',
    /the relay has denied this token/
  ],
  ['a stream unheard outside term', { streams: [unheard], inTerm: false }, 'stream-unheard', 'note', /spin30/],
  [
    'a stream without a first message',
    { streams: [stream({ state: 'quiet', spoke: false, addedMs: NOW_MS - 7 * DAY_MS })] },
    'stream-never-spoke',
    'attention',
    /no message of spin30/
  ],
  ['a token expired', { streams: [stream({ tokenExpiresMs: NOW_MS })] }, 'token-expired', 'failing', /has expired/],
  [
    'a token expired outside term',
    { streams: [stream({ tokenExpiresMs: NOW_MS })], inTerm: false },
    'token-expired',
    'attention',
    /has expired/
  ],
  [
    'a token near expiry',
    { streams: [stream({ tokenExpiresMs: NOW_MS + 30 * DAY_MS })] },
    'token-expires',
    'attention',
    /expires on 2026-12-02/
  ],
  [
    'a problem',
    { problems: [{ code: 'UNDERSTUDY_CREDENTIALS_INVALID', detail: 'log.token.spin32: it is empty' }] },
    'configuration',
    'attention',
    /log\.token\.spin32: it is empty/
  ],
  ['a full disk', journal({ failure: 'disk full' }), 'commits-failing', 'failing', /disk is full/],
  ['a broken disk', journal({ failure: 'disk failed' }), 'commits-failing', 'failing', /cannot be written/],
  ['no room to begin', journal({ open: false, failure: 'disk full' }), 'commits-failing', 'failing', /disk is full/],
  ['a hanging disk', journal({ pendingMs: 30_001 }), 'commits-slow', 'failing', /does not answer/],
  [
    'a data disk away',
    journal({ dataDisk: { used: false, code: 'UNDERSTUDY_DISK_AWAY', storesAway: 2 } }),
    'data-disk',
    'attention',
    /not there/
  ],
  [
    'another data disk',
    journal({ dataDisk: { used: true, code: 'UNDERSTUDY_DISK_OTHER', storesAway: 2 } }),
    'data-disk',
    'note',
    /another data disk/
  ],
  [
    'damage that is not salvaged',
    journal({ damaged: [{ store: 3, salvaged: false, lost: 9 }] }),
    'damage',
    'failing',
    /store 3/
  ],
  [
    'damage with losses',
    journal({ damaged: [{ store: 3, foundMs: NOW_MS - DAY_MS, salvaged: true, lost: 9 }] }),
    'damage',
    'attention',
    /9 of its records are lost/
  ],
  [
    'damage of old',
    journal({ damaged: [{ store: 3, foundMs: NOW_MS - 14 * DAY_MS, salvaged: true, lost: 0 }] }),
    'damage',
    'note',
    /all that was in it is salvaged/
  ],
  [
    'a capture that is late',
    { captures: [{ capture: 'daily', dueSinceMs: NOW_MS - defaultLimits.captureMs, waits: false }] },
    'capture-late',
    'attention',
    /capture daily/
  ],
  [
    'a primary that refuses',
    sync({ failure: { code: 'UNDERSTUDY_SYNC_KEY_REFUSED', sinceMs: NOW_MS } }),
    'sync-refused',
    'attention',
    /does not let our key in/
  ],
  [
    'a primary that lags',
    sync({ unconfirmed: 1, behindSinceMs: NOW_MS - defaultLimits.syncMs }),
    'sync-behind',
    'attention',
    /not confirmed/
  ],
  [
    'a primary with other content',
    sync({ differing: ['daily/2026-10-01'] }),
    'sync-differs',
    'attention',
    /2026-10-01/
  ],
  [
    'a silent primary',
    { primary: { available: false, sinceMs: NOW_MS, standingIn: true } },
    'primary-silent',
    'attention',
    /in its place/
  ],
  ['a disk that fills', disk({ fullMs: NOW_MS + 14 * DAY_MS }), 'disk-filling', 'attention', /full on 2026-11-16/],
  ['a disk full tomorrow', disk({ fullMs: NOW_MS + DAY_MS }), 'disk-filling', 'failing', /full on 2026-11-03/],
  ['a disk at its limit', { ...disk({ freeBytes: 400e6 }) }, 'disk-full', 'note', /is removed/],
  [
    'a disk at its limit without a primary',
    { ...disk({ freeBytes: 400e6 }), ...sync({ configured: false }) },
    'disk-full',
    'attention',
    /is removed/
  ],
  ['few inodes', disk({ freeInodes: 4, totalInodes: 100 }), 'inodes-low', 'attention', /inodes/],
  ['no inodes', disk({ freeInodes: 0, totalInodes: 100 }), 'inodes-low', 'failing', /inodes/],
  [
    'a worn card',
    disk({ wear: { device: 'mmcblk0', writtenBytes: 0, lifeUsed: 0.9 } }),
    'card-worn',
    'attention',
    /mmcblk0/
  ],
  [
    'a card at its end',
    disk({ wear: { device: 'mmcblk0', writtenBytes: 0, reserve: 'urgent' } }),
    'card-worn',
    'failing',
    /worn out/
  ],
  [
    'a pace that wears it out',
    disk({ wear: { device: 'mmcblk0', writtenBytes: 0, lifeYears: 0.9 } }),
    'card-worn',
    'attention',
    /a year/
  ],
  [
    'a clock that nobody sets',
    { clock: { source: 'none', synchronised: false } },
    'clock-unsynchronised',
    'attention',
    /captures wait/
  ],
  [
    "the relay's time",
    { clock: { source: 'relay', synchronised: false } },
    'clock-unsynchronised',
    'note',
    /relay's answers/
  ],
  [
    'a weak supply',
    machine({ power: { underVoltage: { now: false, since: true } } }),
    'under-voltage',
    'attention',
    /has been too low/
  ],
  ['a slow machine', machine({ power: { throttled: { now: true, since: true } } }), 'throttled', 'attention', /hot/],
  ['a hot machine', machine({ temperatureC: 80 }), 'throttled', 'attention', /hot/],
  [
    'no memory',
    machine({ memory: { totalBytes: 100, availableBytes: 4 } }),
    'memory-short',
    'attention',
    /hardly any memory/
  ]
]

test.each(found)('%s', (_, changes, code, state, says) => {
  const { reasons, state: whole, sentence } = judge(report(changes))
  expect(reasons.map((reason) => reason.code)).toEqual([code])
  expect(reasons[0]).toMatchObject({ state, text: expect.stringMatching(says), todo: expect.stringMatching(/.{8}/) })
  expect(whole).toBe(state === 'note' ? 'ok' : state)
  expect(sentence).toMatch(state === 'failing' ? /^Not everything/ : /^Everything (that is heard )?is being kept/)
})

test('every rule has a row above', () => {
  expect(new Set(found.map(([, , code]) => code))).toEqual(new Set(rules.map(({ code }) => code)))
})

const fine: ReadonlyArray<readonly [string, Partial<Report>]> = [
  ['nothing known of the machine', { machine: { disks: [] }, captures: undefined, sync: undefined }],
  ['a stream that is quiet', { streams: [stream({ state: 'quiet' })] }],
  ['one added six days ago', { streams: [stream({ state: 'quiet', spoke: false, addedMs: NOW_MS - 6 * DAY_MS })] }],
  [
    'one added when the time was not known',
    { streams: [stream({ state: 'quiet', spoke: false, addedMs: undefined })] }
  ],
  ['a stream unheard for a moment', { streams: [{ ...unheard, unheardSinceMs: NOW_MS - 1000 }] }],
  ['a token good for 31 days', { streams: [stream({ tokenExpiresMs: NOW_MS + 31 * DAY_MS })] }],
  ['a primary out of reach for an hour', sync({ failure: { code: 'UNDERSTUDY_SYNC_UNREACHABLE', sinceMs: NOW_MS } })],
  ['a capture that waits for the time', { captures: [{ capture: 'daily', dueSinceMs: 0, waits: true }] }],
  [
    'a window that ended while the machine was off',
    { startedMs: NOW_MS - 1000, captures: [{ capture: 'daily', dueSinceMs: 0, waits: false }] }
  ],
  ['a trusted clock', { clock: { source: 'trusted', synchronised: false } }],
  ['a clock that is set soon', { ...machine({ uptimeMs: 1000 }), clock: { source: 'none', synchronised: false } }],
  ['a primary that answers', { primary: { available: true, sinceMs: NOW_MS, standingIn: false } }]
]

test.each(fine)('%s is no fault', (_, changes) => {
  expect(judge(report(changes))).toMatchObject({ state: 'ok', reasons: [] })
})

describe('the sentence', () => {
  test('says how many streams are heard', () => {
    expect(judge(base).sentence).toBe('Everything is being kept: 2 of 2 streams are heard.')
    const { sentence } = judge(report({ inTerm: false, streams: [unheard] }))
    expect(sentence).toBe(
      'Everything that is heard is being kept: 0 of 1 stream is heard, and the labs are not in use.'
    )
  })

  test('takes what is alike together, and counts the rest', () => {
    const changes = {
      streams: [unheard, { ...unheard, stream: 'spin31' }, stream()],
      ...journal({ failure: 'disk full' })
    }
    const { sentence } = judge(report(changes))
    expect(sentence).toBe('Not everything is being kept: the disk is full: what comes waits in memory, and 2 more.')
    expect(judge(report({ streams: changes.streams })).sentence).toBe(
      'Not everything is being kept: 2 of 3 streams are not heard.'
    )
  })

  test('of what only needs somebody says that all is kept', () => {
    const { sentence } = judge(report({ clock: { source: 'none', synchronised: false } }))
    expect(sentence).toMatch(/^Everything is being kept, but somebody should look: the clock/)
  })
})

test('while the time is not known nothing is said of dates', () => {
  const clock = { source: 'none', synchronised: false } as const
  const { reasons } = judge(report({ clock, streams: [stream({ tokenExpiresMs: 0 })] }))
  expect(reasons.map(({ code }) => code)).toEqual(['clock-unsynchronised'])
})

test('whatever comes together: the state is that of the worst reason, which comes first', () => {
  const rank = ['failing', 'attention', 'note']
  fc.assert(
    fc.property(fc.subarray([...found], { maxLength: 6 }), (rows) => {
      const all: Partial<Report> = Object.assign({}, ...rows.map(([, own]) => own))
      const { state, reasons } = judge(report(all))
      const ranks = reasons.map((reason) => rank.indexOf(reason.state))
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
      expect(state).toBe(reasons[0] === undefined || reasons[0].state === 'note' ? 'ok' : reasons[0].state)
    })
  )
})

test('the docs have every rule', () => {
  const docs = readFileSync(new URL('../../docs/health.md', import.meta.url), 'utf8')
  const told = [...docs.split('## The rules')[1]!.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code)
  expect(told).toEqual(rules.map(({ code }) => code))
})
