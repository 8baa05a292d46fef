import { DAY_MS, NOW_MS, report, stream } from '../../../src/health/fixtures.ts'
import type { Report } from '../../../src/health/report.ts'
import type { Frame } from '../../../src/journal/entry.ts'
import type { Unheard } from '../../../src/journal/reading.ts'
import { FakeRecorder, studentGraph } from '../../../src/status/fixtures.ts'

const HOUR_MS = 3_600_000
const { machine } = report()
const disk = machine.disks[0]!

function rest(fromMs: number, toMs: number, cause: string, kind: Unheard['kind'] = 'gap'): Unheard {
  return { fromUs: fromMs * 1000, toUs: toMs * 1000, kind, cause }
}

const twelve = Array.from({ length: 12 }, (_, index) =>
  stream({
    stream: `spin${30 + index}`,
    state: index % 3 === 0 ? 'quiet' : 'active',
    frames: 1234 * index,
    lastFrameMs: NOW_MS - index * 400_000,
    tokenExpiresMs: NOW_MS + 200 * DAY_MS
  })
)
const unheard = stream({
  state: 'unheard',
  unheardSinceMs: NOW_MS - HOUR_MS,
  cause: 'connection lost',
  lastFrameMs: NOW_MS - 2 * HOUR_MS
})

/** How a recorder may stand, each as the page must show it. */
export const states: Readonly<
  Record<
    string,
    {
      readonly report: Partial<Report>
      readonly shows: readonly string[]
      readonly rest?: readonly Unheard[]
      readonly outsideTerm?: boolean
    }
  >
> = {
  ok: {
    report: { streams: twelve, primary: { available: true, sinceMs: NOW_MS - DAY_MS, standingIn: false } },
    shows: ['OK. Everything is being kept: 12 of 12 streams are heard.', 'Recording', 'Quiet', '30 folders']
  },
  unheard: {
    report: { streams: [unheard, ...twelve.slice(1)] },
    rest: [
      rest(NOW_MS - 20 * HOUR_MS, NOW_MS - 19 * HOUR_MS, 'host rebooted'),
      rest(NOW_MS - HOUR_MS, NOW_MS, 'connection lost')
    ],
    shows: ['Failing.', 'spin30 is not heard', 'What to do:', 'Not heard since']
  },
  uncertain: {
    report: { streams: twelve },
    rest: [rest(NOW_MS - 5 * HOUR_MS, NOW_MS - 4 * HOUR_MS, 'stalled', 'uncertain')],
    shows: ['95.8 % heard']
  },
  'outside-term': {
    report: { streams: [unheard, ...twelve.slice(1)], inTerm: false },
    rest: [rest(NOW_MS - 12 * HOUR_MS, NOW_MS, 'connection lost')],
    outsideTerm: true,
    shows: ['OK.', 'the labs are not in use', 'Note:', 'spin30 is not heard']
  },
  'token-expires': {
    report: { streams: [stream({ tokenExpiresMs: NOW_MS + 5 * DAY_MS })] },
    shows: ['Attention.', 'token', '7 Nov 2026']
  },
  'token-expired': {
    report: { streams: [stream({ tokenExpiresMs: NOW_MS - DAY_MS })] },
    shows: ['Failing.', 'the token of spin30 has expired', '(expired)']
  },
  'disk-full': {
    report: { journal: { open: true, failure: 'disk full', pendingBytes: 3e6, pendingMs: 60_000, damaged: [] } },
    shows: ['Failing.', 'Not everything is being kept']
  },
  'disk-filling': {
    report: { machine: { ...machine, disks: [{ ...disk, fullMs: NOW_MS + 5 * DAY_MS, freeBytes: 1.2e9 }] } },
    shows: ['Attention.', '7 Nov 2026', '1.2 GB of 32.0 GB']
  },
  'card-worn': {
    report: {
      machine: {
        ...machine,
        temperatureC: 83,
        power: { underVoltage: { now: true, since: true }, throttled: { now: false, since: true } },
        memory: { totalBytes: 1e9, availableBytes: 3e8 },
        load: { one: 0.5, five: 0.4, fifteen: 0.3, cores: 4 },
        network: { interface: 'wlan0', up: true, signalDbm: -61 },
        disks: [
          {
            ...disk,
            wear: {
              device: 'mmcblk0',
              writtenBytes: 5e9,
              writtenPerDayBytes: 6e8,
              lifeYears: 0.5,
              lifeUsed: 0.9,
              reserve: 'warning'
            }
          }
        ]
      }
    },
    shows: ['Attention.', 'under-voltage now, throttled since the boot', '83 °C', 'mmcblk0', '-61 dBm']
  },
  'clock-unknown': {
    report: { clock: { source: 'none', synchronised: false }, captures: [{ capture: 'daily', waits: true }] },
    shows: ['Attention.', 'the clock is not synchronised', 'the time is not known']
  },
  damage: {
    report: {
      journal: {
        open: true,
        pendingBytes: 0,
        pendingMs: 0,
        damaged: [{ store: 7, foundMs: NOW_MS - DAY_MS, salvaged: false, lost: 12 }]
      }
    },
    shows: ['Failing.', 'understudy repair']
  },
  'sync-refused': {
    report: {
      sync: {
        configured: true,
        confirmed: 12,
        unconfirmed: 4,
        behindSinceMs: NOW_MS - 4 * DAY_MS,
        differing: ['daily/2026-10-20'],
        failure: { code: 'UNDERSTUDY_SYNC_KEY_REFUSED', sinceMs: NOW_MS - 4 * DAY_MS }
      }
    },
    shows: ['Attention.', 'Fails since', 'daily/2026-10-20']
  },
  'capture-late': {
    report: { captures: [{ capture: 'daily', dueSinceMs: NOW_MS - 5 * HOUR_MS, waits: false }] },
    shows: ['Attention.']
  },
  'primary-silent': {
    report: { primary: { available: false, sinceMs: NOW_MS - HOUR_MS, standingIn: true } },
    shows: ['Attention.', 'Silent since']
  },
  'no-streams': { report: { streams: [] }, shows: ['Failing.', 'there is no stream to record', 'There are none.'] },
  starting: {
    report: {
      captures: undefined,
      sync: undefined,
      machine: { disks: [] },
      journal: { open: false, pendingBytes: 0, pendingMs: 0, damaged: [] }
    },
    shows: ['Not known yet.']
  }
}

/** Frames by day, as students come and go. */
function aDay(stream: string, index: number): Frame[] {
  const quarters = Array.from({ length: 96 }, (_, quarter) => quarter)
  return quarters.flatMap((quarter) => {
    const busy = Math.max(0, Math.sin(((quarter + 7 * index) / 96) * 4 * Math.PI)) * 9
    const wallUs = (NOW_MS - DAY_MS + quarter * 900_000) * 1000
    return Array.from({ length: Math.floor(busy) }, (_, seq) => {
      const stamp = { wallUs, monoUs: 0, boot: '', source: 'ntp' } as const
      return { kind: 'frame', ...stamp, position: 1, stream, seq, origin: 'relay', binary: false, payload: nothing }
    })
  })
}

const nothing = Buffer.alloc(0)

/** A recorder in one of these states, with a day behind it. */
export function recorderIn(name: string): FakeRecorder {
  const state = states[name]!
  const recorder = new FakeRecorder(state.report)
  const [first] = recorder.coverage
  if (first && state.rest) {
    const unheardUs = state.rest.reduce((sum, part) => sum + part.toUs - part.fromUs, 0)
    const heardUs = first.heardUs - unheardUs
    recorder.coverage[0] = { ...first, heardUs, share: heardUs / (first.toUs - first.fromUs), rest: state.rest }
  }
  if (state.outsideTerm) recorder.isInTerm = (atMs) => atMs < NOW_MS - 8 * HOUR_MS
  recorder.past = recorder.current.streams.flatMap(({ stream }, index) => aDay(stream, index))
  recorder.graphs = [studentGraph('0f8fad5b-d9cb-469f-a165-70867728950e', [0, 0, 1, 2, 2, 3])]
  recorder.made = [
    {
      capture: 'daily',
      schedule: '0 0 * * *',
      timeZone: 'Europe/London',
      waitingUs: 0,
      sealed: [
        { folder: '2026-10-31', confirmed: true, removed: false },
        { folder: '2026-11-01', confirmed: false, removed: false }
      ]
    }
  ]
  return recorder
}
