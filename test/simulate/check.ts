import type { Entry, Position } from '../../src/journal/entry.ts'
import type { JournalReader, StreamCoverage, VerifyReport } from '../../src/journal/reading.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import type { Us } from '../../src/world/time.ts'
import { checkSealed } from './check-sealed.ts'
import { Heard } from './heard.ts'
import { DATA, type Lab, SLOWEST_MS } from './lab.ts'
import type { Model } from './model.ts'

/** After the calm, while it still runs: everything is heard, and a message comes through. */
export async function checkLive(lab: Lab): Promise<void> {
  const { model, simulation } = lab
  const { appliance } = lab
  if (!appliance) throw model.broke('it does not run again after everything was put right')
  await simulation.complete(appliance.journal.repaired(), 600_000)
  const unheard = appliance.recording().streams.filter(({ heard }) => !heard)
  if (unheard.length > 0 || appliance.recording().streams.length < lab.streams.length) {
    model.broke(`not heard after everything was put right: ${JSON.stringify(unheard)}`)
  }
  lab.silence()
  const before = new Map(lab.streams.map((stream) => [stream, model.lastAcked(stream)]))
  for (const stream of lab.streams) lab.relay.say(stream, model.sends(stream, 10))
  const { readIntervalMs, commitIntervalMs, syncMs } = lab.plan
  await simulation.run(readIntervalMs + commitIntervalMs + 20 * syncMs + 1000)
  for (const stream of lab.streams) {
    if (model.lastAcked(stream) === before.get(stream)) model.broke(`a message on ${stream} is not committed in time`)
  }
  // A merge or a new store may just have put something on record.
  await simulation
    .runUntil(() => appliance.journal.pendingBytes === 0, 10_000)
    .catch(() => {
      model.broke('something still waits to be committed')
    })
}

/** It is stopped, and all that is on the disk is read and compared with what should be there. */
export async function checkEnd(lab: Lab): Promise<void> {
  const { model, plan, simulation, pi } = lab
  await simulation.complete(lab.stop(), 60_000)
  if (model.broken) return
  // What a snapshot of the journal takes is not what is asked here.
  pi.disk.capacityBytes += 256e6
  const world = pi.start()
  const work = async (): Promise<void> => {
    const reader = await openSnapshot(world, DATA)
    const report = await reader.verify()
    const entries = await readAll(reader)
    checkEntries(lab, entries, report, reader.firstPosition)
    const heard = new Heard(model, entries, lab.streams, (plan.silenceTimeoutMs + plan.readIntervalMs) * 1000)
    checkCoverage(lab, await reader.coverage(), heard)
    await checkSealed(lab, reader)
    checkPeriods(lab, await reader.coverage(somePeriod(lab)))
    checkSilence(lab, entries, heard)
    await reader.close()
  }
  await simulation.complete(work(), 3_600_000)
}

async function readAll(reader: JournalReader): Promise<Entry[]> {
  const entries: Entry[] = []
  const cursor = reader.cursor()
  for (;;) {
    const more = await cursor.next(1e6)
    if (more.length === 0) return entries
    entries.push(...more)
  }
}

/** What was acknowledged is there, once, in order, byte for byte; what is not was damaged on purpose, and is named. */
function checkEntries(lab: Lab, entries: readonly Entry[], report: VerifyReport, first: Position): void {
  const { model } = lab
  if (model.damaged.size === 0 && report.problems.length > 0) {
    throw model.broke(`verify finds problems where nothing was damaged: ${JSON.stringify(report.problems.slice(0, 3))}`)
  }
  const there = new Set<Position>()
  let last = 0
  for (const entry of entries) {
    model.sees(entry)
    if (entry.position <= last) throw model.broke(`position ${entry.position} follows ${last}`)
    last = entry.position
    there.add(entry.position)
  }
  for (const position of model.seen.keys()) {
    if (there.has(position) || (position < first && model.room.isLimited)) continue
    if (model.damaged.size === 0) throw model.broke(`position ${position} was committed and is gone`)
    if (!named(report, position)) throw model.broke(`position ${position} is gone, and verify does not say so`)
  }
  checkRuns(lab, entries, report, first)
  // What told of it may be lost with a damaged store.
  if (model.damaged.size === 0) model.room.checkRecord()
}

function named({ problems }: VerifyReport, position: Position): boolean {
  return problems.some(({ fromPosition = 0, toPosition, kind }) => {
    if (toPosition !== undefined) return fromPosition <= position && position <= toPosition
    // A damaged block does not say where it ends.
    return kind === 'damaged' && fromPosition <= position
  })
}

/** Of each process the journal has what it was handed, from the first frame on, at least as far as it acknowledged. */
function checkRuns({ model }: Lab, entries: readonly Entry[], report: VerifyReport, first: Position): void {
  const opened = model.runs.filter(({ openedAt }) => openedAt !== undefined)
  opened.forEach((run, index) => {
    const from = run.openedAt!
    const to = opened[index + 1]?.openedAt ?? Number.MAX_SAFE_INTEGER
    const intact = !model.excused.some(([begin, end]) => begin < to && end > from)
    const holes = from < first || report.problems.some(({ fromPosition = 0 }) => fromPosition < to)
    for (const [stream, fed] of run.fed) {
      const frames = entries.filter(
        (entry) => entry.kind === 'frame' && entry.stream === stream && entry.position >= from && entry.position < to
      )
      let at = 0
      let seq = 0
      for (const frame of frames) {
        if (frame.kind !== 'frame') continue
        if (seq > 0 && frame.seq !== seq + 1 && !holes) model.broke(`${stream}: number ${frame.seq} follows ${seq}`)
        if (seq > 0 && frame.seq <= seq) model.broke(`${stream}: number ${frame.seq} follows ${seq}`)
        seq = frame.seq
        while (holes && at < fed.length && !fed[at]!.equals(frame.payload)) at++
        if (!fed[at]?.equals(frame.payload)) {
          throw model.broke(`${stream}: frame ${frame.seq} at ${frame.position} is not the one that came`)
        }
        at++
      }
      const acked = run.acked.get(stream) ?? 0
      if (seq < acked && !holes && intact)
        model.broke(`${stream}: frame ${acked} was acknowledged, ${seq} is the last there`)
    }
  })
  checkNumbers(model, entries)
}

/** No number of a stream is used twice, and they rise. */
function checkNumbers(model: Model, entries: readonly Entry[]): void {
  const last = new Map<string, number>()
  for (const entry of entries) {
    if (entry.kind !== 'frame') continue
    const before = last.get(entry.stream) ?? 0
    if (entry.seq <= before) model.broke(`${entry.stream}: number ${entry.seq} follows ${before}`)
    last.set(entry.stream, entry.seq)
  }
}

/** The parts add up exactly, in order and without overlap; where the clock was right they are what the events say. */
function checkCoverage(lab: Lab, coverage: readonly StreamCoverage[], heard: Heard): void {
  checkPeriods(lab, coverage)
  const { model, simulation } = lab
  if (model.clockFaulty || model.damaged.size > 0) return
  for (const { stream, fromUs, rest, toUs } of coverage) {
    // Half of a gap in a place where the events say heard, or the other way round.
    for (const { fromUs: begin, toUs: end } of rest) {
      const middleUs = (begin + end) / 2 - simulation.startWallUs
      if (end - begin > 10_000 && heard.isWhole(stream, middleUs)) {
        model.broke(`${stream}: coverage has a gap at ${middleUs}, where it was heard`)
      }
    }
    let at = fromUs
    for (const gap of [...rest, { fromUs: toUs, toUs }]) {
      const middleUs = (at + gap.fromUs) / 2 - simulation.startWallUs
      if (gap.fromUs - at > 10_000 && !heard.isWhole(stream, middleUs)) {
        model.broke(`${stream}: coverage says heard at ${middleUs}, where it was not`)
      }
      at = gap.toUs
    }
  }
}

function checkPeriods({ model }: Lab, coverage: readonly StreamCoverage[]): void {
  for (const { stream, fromUs, toUs, heardUs, rest } of coverage) {
    let at = fromUs
    let sum = heardUs
    for (const gap of rest) {
      if (gap.fromUs < at || gap.toUs <= gap.fromUs || gap.toUs > toUs) {
        throw model.broke(`${stream}: the parts of its coverage are not in order`)
      }
      at = gap.toUs
      sum += gap.toUs - gap.fromUs
    }
    if (sum !== toUs - fromUs) model.broke(`${stream}: its coverage adds up to ${sum} of ${toUs - fromUs}`)
  }
}

function somePeriod({ simulation }: Lab): { fromUs: Us; toUs: Us } {
  const dice = simulation.dice.fork('period')
  const fromUs = simulation.startWallUs + Math.floor(dice.fraction() * simulation.nowUs)
  return { fromUs, toUs: fromUs + Math.floor(dice.fraction() * simulation.nowUs) }
}

/**
 * Silence is never mistaken for no data: a message that the relay took while its stream was heard is in the journal.
 * Hearing ends at a proof's reading, and what the relay took after it had sent the proof may be lost: that long can be
 * the time of a message on its way, and then until the next reading of the sockets, which may be late by what still
 * counts as no stall. A known limit: what the relay drops in a stall that ends before the next tick is late goes unseen
 * on a stream that is read at once. What was damaged after it was acknowledged is another promise's.
 */
function checkSilence(lab: Lab, entries: readonly Entry[], heard: Heard): void {
  const { model, plan } = lab
  const has = (kind: string): boolean => plan.faults.some((fault) => fault.kind === kind)
  const slowestMs = (has('slow network') ? SLOWEST_MS : 20) + 100 + (has('stall') ? 2000 : 0)
  const toleranceUs = (plan.readIntervalMs + slowestMs) * 1000
  for (const stream of lab.streams) {
    const kept = new Set<number>()
    let last = -1
    for (const entry of entries) {
      if (entry.kind !== 'frame' || entry.stream !== stream) continue
      for (const n of messagesIn(entry.payload.toString(), model.sent.get(stream)!)) {
        if (n === undefined) throw model.broke(`${stream}: frame ${entry.seq} holds something that was not sent`)
        if (n <= last) throw model.broke(`${stream}: message ${n} is stored after ${last}`)
        last = n
        kept.add(n)
      }
    }
    const fed = model.damaged.size > 0 || model.room.isLimited ? handedOver(lab, stream) : new Set<number>()
    model.sent.get(stream)!.forEach(({ atUs }, n) => {
      if (model.shortStalls.some(([fromUs, toUs]) => fromUs <= atUs && atUs <= toUs)) return
      if (kept.has(n) || fed.has(n) || !heard.claims(stream, atUs, toleranceUs)) return
      model.broke(`${stream}: message ${n}, sent at ${atUs} while it was heard, is not in the journal`)
    })
  }
}

/** What reached the journal, whatever became of it. */
function handedOver({ model }: Lab, stream: string): Set<number> {
  const frames = model.runs.flatMap(({ fed }) => fed.get(stream) ?? [])
  return new Set(
    frames.flatMap((frame) => [...messagesIn(frame.toString(), model.sent.get(stream)!)].map((n) => n ?? -1))
  )
}

/** The numbers of the messages that a frame was joined from; `undefined` for what is none. */
function* messagesIn(text: string, sent: ReadonlyArray<{ text: string }>): Generator<number | undefined> {
  for (let at = 0; at < text.length; ) {
    const n = Number(/^\{"n":(\d+),/.exec(text.slice(at, at + 20))?.[1] ?? -1)
    const message = sent[n]?.text
    if (message === undefined || !text.startsWith(message, at)) return yield undefined
    yield n
    at += message.length
  }
}
