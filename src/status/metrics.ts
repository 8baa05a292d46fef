import { Counter, Gauge, Registry } from 'prom-client'
import type { Report } from '../health/report.ts'
import type { Verdict } from '../health/verdict.ts'

const states = ['ok', 'attention', 'failing'] as const

interface Sample {
  readonly value: number | undefined
  readonly labels?: Readonly<Record<string, string>>
}

/** The report and the verdict as Prometheus reads them. What is not known is absent. */
export async function metricsText(
  report: Report,
  { state, reasons }: Verdict
): Promise<{ type: string; text: string }> {
  const registry = new Registry()
  const add = (Kind: typeof Gauge | typeof Counter, name: string, help: string, samples: readonly Sample[]): void => {
    const known = samples.filter(({ value }) => value !== undefined && Number.isFinite(value))
    if (known.length === 0) return
    const labelNames = Object.keys(known[0]!.labels ?? {})
    const metric = new Kind({ name: `understudy_${name}`, help, labelNames, registers: [registry] })
    for (const { labels = {}, value } of known) metric.inc(labels, value!)
  }
  const gauge = (name: string, help: string, ...samples: readonly Sample[]): void => add(Gauge, name, help, samples)
  const counter = (name: string, help: string, ...samples: readonly Sample[]): void => add(Counter, name, help, samples)
  const { streams, journal, sync, captures = [], clock, machine, primary } = report

  gauge('build_info', 'Always 1; which version runs.', { value: 1, labels: { version: report.version } })
  gauge('start_time_seconds', 'When it was started.', { value: seconds(report.startedMs) })
  gauge('in_term', 'Whether the labs are in use.', { value: Number(report.inTerm) })
  gauge(
    'verdict',
    'Which verdict holds.',
    ...states.map((one) => ({ value: Number(one === state), labels: { state: one } }))
  )
  gauge('reasons', 'How many reasons of each rule there are.', ...counted(reasons))

  const ofStreams = (of: (stream: Report['streams'][number]) => number | undefined): Sample[] =>
    streams.map((one) => ({ value: of(one), labels: { stream: one.stream } }))
  gauge('stream_heard', 'Whether the stream is heard.', ...ofStreams(({ state: is }) => Number(is !== 'unheard')))
  counter('stream_frames_total', 'Frames since the start.', ...ofStreams(({ frames }) => frames))
  gauge(
    'stream_last_frame_timestamp_seconds',
    'When the last frame came.',
    ...ofStreams(({ lastFrameMs }) => seconds(lastFrameMs))
  )
  gauge(
    'stream_token_expiry_timestamp_seconds',
    'Until when the token is good.',
    ...ofStreams(({ tokenExpiresMs }) => seconds(tokenExpiresMs))
  )

  gauge('journal_open', 'Whether the journal is open and can be written.', {
    value: Number(journal.open && journal.failure === undefined)
  })
  gauge('journal_pending_bytes', 'Received and not yet on the disk.', { value: journal.pendingBytes })
  gauge('journal_pending_seconds', 'How long the oldest of it waits.', { value: seconds(journal.pendingMs) })
  gauge('journal_damaged_stores', 'Stores that were found damaged.', { value: journal.damaged.length })

  gauge(
    'capture_late',
    'Whether a window has ended that is not sealed.',
    ...captures.map(({ capture, dueSinceMs }) => ({ value: Number(dueSinceMs !== undefined), labels: { capture } }))
  )
  gauge('sync_confirmed_folders', 'Sealed folders that the primary has proved to have.', { value: sync?.confirmed })
  gauge('sync_unconfirmed_folders', 'Sealed folders that it has not.', { value: sync?.unconfirmed })
  gauge('sync_last_success_timestamp_seconds', 'When handing over last went well.', { value: seconds(sync?.doneMs) })
  gauge('primary_available', 'Whether the primary answers its students.', {
    value: primary && Number(primary.available)
  })

  gauge('clock_synchronised', 'Whether the kernel says that the clock is.', { value: Number(clock.synchronised) })
  gauge('temperature_celsius', 'Of the processor.', { value: machine.temperatureC })
  gauge('memory_available_bytes', 'Of the machine.', { value: machine.memory?.availableBytes })
  gauge('memory_own_bytes', 'Of this program.', { value: machine.memory?.ownBytes })
  gauge('load1', 'Processes that run or wait to, over a minute.', { value: machine.load?.one })
  gauge('under_voltage', 'Whether the supply is too weak now.', { value: asNumber(machine.power?.underVoltage?.now) })
  gauge('throttled', 'Whether the machine slows itself down now.', { value: asNumber(machine.power?.throttled?.now) })

  const ofDisks = (of: (disk: Report['machine']['disks'][number]) => number | undefined): Sample[] =>
    machine.disks.map((disk) => ({ value: of(disk), labels: { disk: disk.use } }))
  gauge('disk_free_bytes', 'Of the disk.', ...ofDisks(({ freeBytes }) => freeBytes))
  gauge('disk_size_bytes', 'Of the disk.', ...ofDisks(({ totalBytes }) => totalBytes))
  gauge('disk_free_inodes', 'Of the disk.', ...ofDisks(({ freeInodes }) => freeInodes))
  gauge('disk_full_timestamp_seconds', 'When it is full at this pace.', ...ofDisks(({ fullMs }) => seconds(fullMs)))
  gauge('disk_life_used_ratio', 'Of its life, by its registers.', ...ofDisks(({ wear }) => wear?.lifeUsed))
  counter(
    'disk_written_bytes_total',
    'To the device since the start, by whomever.',
    ...ofDisks(({ wear }) => wear?.writtenBytes)
  )
  return { type: registry.contentType, text: await registry.metrics() }
}

function counted(reasons: Verdict['reasons']): Sample[] {
  const counts = new Map<string, { value: number; labels: { rule: string; state: string } }>()
  for (const { code: rule, state } of reasons) {
    const key = `${rule} ${state}`
    counts.set(key, { value: (counts.get(key)?.value ?? 0) + 1, labels: { rule, state } })
  }
  return [...counts.values()]
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function asNumber(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}
