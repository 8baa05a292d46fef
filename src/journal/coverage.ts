import type { Us } from '../world/time.ts'
import type { GapCause, JournalEvent } from './entry.ts'
import type { StreamCoverage, Unheard } from './reading.ts'
import type { Recorded } from './records.ts'
import type { Series } from './series.ts'
import type { StreamStates } from './stream-state.ts'
import { type Stretch, Timeline } from './timeline.ts'

/** A boundary of something that lasts: `open` is +1 where it begins, -1 where it ends. */
interface Edge {
  readonly atUs: Us
  readonly open: 1 | -1
  readonly what: Lasting
}

type Lasting =
  | { readonly kind: 'heard' }
  /** Entries of this time are gone, or cannot be read: whatever else is on record of it, what was heard cannot be given. */
  | { readonly kind: 'withheld'; readonly cause: GapCause }
  | { readonly kind: 'uncertain'; readonly cause: string }
  | { readonly kind: 'gap'; readonly cause: GapCause; readonly code?: string; readonly rank: number }

/**
 * What was heard of each stream over a period, from the events on record.
 * @param records all of them
 * @param end the streams as they are now; one that is heard now is covered up to its last proof
 * @param now boot and wall time
 */
export function readCoverage(
  series: Series,
  records: readonly Recorded[],
  end: StreamStates,
  now: { readonly boot: string; readonly wallUs: Us; readonly live: boolean },
  query: { readonly streams?: readonly string[]; readonly fromUs?: Us; readonly toUs?: Us }
): StreamCoverage[] {
  const timeline = new Timeline()
  for (const record of records) timeline.learn(record)
  const first = records[0]
  const notKeptUs = series.removed?.fromUs
  const [oldest] = series.stores
  const firstUs = first ? timeline.wallUs(first.boot, first.monoUs) : now.wallUs
  const fromUs = query.fromUs ?? (oldest && series.isAway(oldest) ? Math.min(oldest.begunUs, firstUs) : firstUs)
  const unfinished = now.live ? [] : end.unfinished(now.boot)
  const damage = [...edgesOfDamage(series), ...edgesOfPassedOver(series, now.wallUs)]
  const names = query.streams ?? [...end.streams.keys()].sort()
  return names.map((stream) => {
    const state = end.streams.get(stream)
    const concerns = (event: JournalEvent): boolean =>
      event.event === 'standing' || ('stream' in event && event.stream === stream)
    const stamps = records.filter(({ event }) => concerns(event))
    const events = [...stamps.map(({ event }) => event), ...unfinished.filter(concerns)]
    const heardNow = now.live && state?.heard ? timeline.wallUs(end.boot, state.proofUs) : undefined
    const toUs = Math.max(fromUs, Math.min(query.toUs ?? Number.MAX_SAFE_INTEGER, heardNow ?? now.wallUs))
    const lastProof = { boot: end.boot, monoUs: state?.proofUs ?? 0 }
    const edges = [...damage, ...edgesOf(stream, events, stamps, timeline, lastProof, now.wallUs, notKeptUs)]
    return summarise(stream, edges, fromUs, toUs)
  })
}

/** Of all streams. */
function edgesOfDamage(series: Series): Edge[] {
  return series.stores.flatMap(({ damaged }) =>
    (damaged?.holes ?? []).flatMap(({ fromUs, toUs }) => withheld('store damaged', fromUs, toUs))
  )
}

/** The same where a whole store was passed over, or is not kept any more. */
function edgesOfPassedOver(series: Series, nowUs: Us): Edge[] {
  return series.stores.flatMap((store, index) => {
    const away = series.isAway(store) && 'disk away'
    const cause = (store.removed && 'not kept') || away || (series.unread.has(store.number) && 'store unread')
    return cause ? withheld(cause, store.begunUs, series.stores[index + 1]?.begunUs ?? nowUs) : []
  })
}

/** Times as they were recorded: where the clock was set back between them, what lies in between is meant all the same. */
function withheld(cause: GapCause, fromUs: Us, toUs: Us): Edge[] {
  const what: Lasting = { kind: 'withheld', cause }
  return [
    { atUs: Math.min(fromUs, toUs), open: 1, what },
    { atUs: Math.max(fromUs, toUs), open: -1, what }
  ]
}

/** @param notKeptUs from when on it is not known any more, until something is on record */
function edgesOf(
  stream: string,
  events: readonly JournalEvent[],
  stamps: readonly Recorded[],
  timeline: Timeline,
  lastProof: { readonly boot: string; readonly monoUs: Us },
  nowUs: Us,
  notKeptUs: Us | undefined
): Edge[] {
  const edges: Edge[] = []
  const lasts = (what: Lasting, { fromUs, toUs }: Stretch): void => {
    if (toUs <= fromUs) return
    edges.push({ atUs: fromUs, open: 1, what }, { atUs: toUs, open: -1, what })
  }
  let heard: { boot: string; monoUs: Us } | undefined
  let gap: { since: Us; what: Extract<Lasting, { kind: 'gap' }> } | undefined
  if (notKeptUs !== undefined) gap = { since: notKeptUs, what: { kind: 'gap', cause: 'not kept', rank: -1 } }
  const endHearing = (boot: string, monoUs: Us): void => {
    if (!heard) return
    // In another boot, what told of its end was in a damaged store: the hole that it left lies over the rest.
    const stretches =
      heard.boot === boot
        ? timeline.stretches(boot, heard.monoUs, monoUs)
        : [{ fromUs: timeline.wallUs(heard.boot, heard.monoUs), toUs: timeline.wallUs(boot, monoUs) }]
    for (const stretch of stretches) lasts({ kind: 'heard' }, stretch)
    heard = undefined
  }
  const endGap = (atUs: Us): void => {
    if (gap) lasts(gap.what, { fromUs: gap.since, toUs: atUs })
    gap = undefined
  }
  events.forEach((event, rank) => {
    const stamp = stamps[rank]
    if (event.event === 'heard' && stamp) {
      endHearing(stamp.boot, stamp.monoUs)
      endGap(timeline.wallUs(stamp.boot, stamp.monoUs))
      heard = { boot: stamp.boot, monoUs: stamp.monoUs }
    } else if (event.event === 'gap') {
      const since = timeline.wallUs(event.boot, event.sinceUs)
      endHearing(event.boot, event.sinceUs)
      endGap(since)
      const { cause, code } = event
      gap = { since, what: code ? { kind: 'gap', cause, code, rank } : { kind: 'gap', cause, rank } }
    } else if (event.event === 'standing' && stamp) {
      // It repeats what is known, unless what told it is not kept.
      const standing = Object.hasOwn(event.streams, stream) ? event.streams[stream] : undefined
      const atUs = timeline.wallUs(stamp.boot, stamp.monoUs)
      if (standing === 'heard') {
        endGap(atUs)
        heard ??= { boot: stamp.boot, monoUs: stamp.monoUs }
      } else if (!gap || gap.what.cause === 'not kept') {
        endGap(atUs)
        if (standing) gap = { since: atUs, what: { kind: 'gap', ...standing, rank } }
      }
    } else if (event.event === 'uncertain') {
      const what: Lasting = { kind: 'uncertain', cause: event.reason }
      for (const stretch of timeline.stretches(event.boot, event.fromUs, event.toUs)) lasts(what, stretch)
    }
  })
  endHearing(lastProof.boot, lastProof.monoUs)
  endGap(nowUs)
  return edges
}

/** Walks over the period from edge to edge; between two of them nothing changes. */
function summarise(stream: string, edges: Edge[], fromUs: Us, toUs: Us): StreamCoverage {
  const inOrder = edges
    .map((edge) => ({ ...edge, atUs: Math.min(Math.max(edge.atUs, fromUs), toUs) }))
    .sort((a, b) => a.atUs - b.atUs)
  const lasting = new Map<Lasting, number>()
  const rest: Unheard[] = []
  let heardUs = 0
  let atUs = fromUs
  const pass = (untilUs: Us): void => {
    if (untilUs <= atUs) return
    const unheard = judge(lasting)
    if (!unheard) heardUs += untilUs - atUs
    else append(rest, { fromUs: atUs, toUs: untilUs, ...unheard })
    atUs = untilUs
  }
  for (const { atUs: edgeUs, open, what } of inOrder) {
    pass(edgeUs)
    const count = (lasting.get(what) ?? 0) + open
    if (count === 0) lasting.delete(what)
    else lasting.set(what, count)
  }
  pass(toUs)
  return { stream, fromUs, toUs, heardUs, share: toUs > fromUs ? heardUs / (toUs - fromUs) : 1, rest }
}

/** `undefined` when it was heard and nothing is uncertain; of several gaps the one noted last counts. */
function judge(lasting: ReadonlyMap<Lasting, number>): Omit<Unheard, 'fromUs' | 'toUs'> | undefined {
  const all = [...lasting.keys()]
  const missing = all.find((what) => what.kind === 'withheld')
  if (missing) return { kind: 'gap', cause: missing.cause }
  const uncertain = all.find((what) => what.kind === 'uncertain')
  const heard = all.some((what) => what.kind === 'heard')
  if (heard) return uncertain && { kind: 'uncertain', cause: uncertain.cause }
  const gaps = all.filter((what) => what.kind === 'gap').sort((a, b) => a.rank - b.rank)
  const gap = gaps.at(-1)
  if (!gap) return { kind: 'gap', cause: 'not started' }
  return gap.code ? { kind: 'gap', cause: gap.cause, code: gap.code } : { kind: 'gap', cause: gap.cause }
}

function append(rest: Unheard[], next: Unheard): void {
  const previous = rest.at(-1)
  const same = previous?.kind === next.kind && previous.cause === next.cause && previous.code === next.code
  if (previous && same && previous.toUs === next.fromUs) rest[rest.length - 1] = { ...previous, toUs: next.toUs }
  else rest.push(next)
}
