import { decompressed } from '../../src/captures/compressed-file.ts'
import { envelope } from '../../src/captures/formats/envelope.ts'
import type { Manifest } from '../../src/captures/manifest.ts'
import { Schedule } from '../../src/captures/schedule.ts'
import type { Frame } from '../../src/journal/entry.ts'
import type { JournalReader, StreamCoverage } from '../../src/journal/reading.ts'
import { simulatedZstd } from '../../src/sim/world/zstd.ts'
import type { Us } from '../../src/world/time.ts'
import { encoded } from '../support/encoded.ts'
import type { Lab } from './lab.ts'
import type { Model } from './model.ts'
import { type Folder, isSame, sha256 } from './sealed.ts'

/** Windows that ended this long before the end, or earlier, are sealed. */
const SETTLED_US = 120_000_000

/** A line of a sealed file. */
interface Line {
  readonly stream: string
  readonly seq: number
  readonly part: number
  readonly time_us: Us
  readonly raw: string
}

/** What a folder holds of one frame. */
interface Piece {
  readonly folder: Folder
  readonly lines: readonly Line[]
  readonly text: string
}

/** Every folder that was ever sealed is what its manifest says, and together they are what the journal holds. */
export async function checkSealed(lab: Lab, reader: JournalReader): Promise<void> {
  const { sealed, model, simulation } = lab
  sealed.look()
  const begins = [...sealed.folders.values()].map(({ manifest }) => manifest.window?.fromUs ?? simulation.trueWallUs)
  const coverage = await reader.coverage({ fromUs: Math.min(simulation.startWallUs, ...begins) })
  const frames: Frame[] = []
  for await (const some of reader.range({})) frames.push(...some)
  const pieces = new Map<string, Map<string, Piece>>()
  for (const folder of sealed.folders.values()) {
    const here = folder.goneUs === undefined && sealed.here(folder.name)
    if (here && !isSame(here, folder.files)) throw model.broke(`${folder.name} has changed since it was sealed`)
    const own = pieces.get(folder.manifest.capture) ?? new Map<string, Piece>()
    pieces.set(folder.manifest.capture, own)
    for (const [frame, piece] of await readFolder(lab, folder)) {
      const other = own.get(frame)
      if (other) throw model.broke(`${frame} is in ${other.folder.name} and in ${folder.name}`)
      own.set(frame, piece)
    }
    // A later one says how it is by then.
    const { capture, supplement, supplements = folder.manifest.folder } = folder.manifest
    const next = `${capture}/${supplements}-${supplement + 1}`
    if (!sealed.folders.has(next)) checkHeard(lab, folder, coverage)
  }
  for (const { name, schedule, durationMs, timeZone } of lab.captures) {
    const windows = new Schedule(schedule, durationMs, timeZone)
    checkWindows(lab, name, windows)
    checkFrames(lab, name, windows, frames, pieces.get(name) ?? new Map<string, Piece>())
  }
  checkConfirmed(lab, pieces, new Set(frames.map(({ stream, seq }) => `${stream} ${seq}`)))
}

/** Its files are those of the manifest, hash and count; gives what is in them by frame, `spin30 17`. */
async function readFolder({ model }: Lab, folder: Folder): Promise<Map<string, Piece>> {
  const { name, manifest, files } = folder
  const pieces = new Map<string, { folder: Folder; lines: Line[]; text: string }>()
  if (files.size !== manifest.files.length + 1) throw model.broke(`${name} has files that its manifest does not list`)
  for (const file of manifest.files) {
    const stored = files.get(file.name) ?? Buffer.alloc(0)
    const content = await contentOf(stored)
    const { bytes, sha256: hash } = file.uncompressed ?? file
    const same = stored.length === file.bytes && sha256(stored) === file.sha256
    if (!same || content.length !== bytes || sha256(content) !== hash) {
      throw model.broke(`${file.name} of ${name} is not what its manifest says`)
    }
    for (const text of content.toString().split('\n').slice(0, -1)) {
      const line = JSON.parse(text) as Line
      const key = `${line.stream} ${line.seq}`
      const piece = pieces.get(key) ?? { folder, lines: [], text: '' }
      pieces.set(key, piece)
      piece.lines.push(line)
      piece.text += `${text}\n`
    }
  }
  checkCounts(model, manifest, [...pieces.values()])
  return pieces
}

function checkCounts(model: Model, { capture, folder, streams, window }: Manifest, pieces: readonly Piece[]): void {
  const lines = pieces.flatMap((piece) => piece.lines)
  for (const { stream, frames, messages, others, first, last } of streams) {
    const own = lines.filter((line) => line.stream === stream)
    const seqs = own.map(({ seq }) => seq)
    const counts = [new Set(seqs).size, own.length, seqs[0], seqs.at(-1)]
    if (counts.join() === [frames, messages + others, first?.seq, last?.seq].join()) continue
    throw model.broke(`${capture}/${folder} has of ${stream} frames, messages, first and last: ${counts}`)
  }
  if (!window) return
  const stray = lines.find(({ time_us }) => time_us < window.fromUs || time_us >= window.toUs)
  if (stray) throw model.broke(`${capture}/${folder} holds ${stray.stream} ${stray.seq} of another time`)
}

/** Each window of the schedule that has ended since the capture began was sealed. */
function checkWindows({ model, sealed, simulation }: Lab, capture: string, schedule: Schedule): void {
  const beginUs = model.begun.get(capture)
  if (beginUs === undefined) throw model.broke(`${capture} has not begun`)
  const first = schedule.holding(beginUs)[0] ?? schedule.after(beginUs)
  for (let window = first; window; window = schedule.after(window.fromUs)) {
    if (window.toUs > simulation.trueWallUs - SETTLED_US) return
    if (!sealed.folders.has(`${capture}/${window.label}`)) {
      throw model.broke(`${capture} ${window.label} was not sealed`)
    }
  }
}

/**
 * What is kept in the journal of windows that have ended is sealed, line for line, or said to be missing; and all that is
 * sealed was sent so.
 */
function checkFrames(
  { model, sealed, simulation }: Lab,
  capture: string,
  schedule: Schedule,
  frames: readonly Frame[],
  pieces: ReadonlyMap<string, Piece>
): void {
  for (const frame of frames) {
    const key = `${frame.stream} ${frame.seq}`
    const piece = pieces.get(key)
    const lost = model.damaged.size > 0 && frame.source === 'none'
    if (piece && known(piece, piece.text, lost) !== known(piece, encoded(envelope, [frame]).lines, lost)) {
      throw model.broke(`${key} in ${piece.folder.name} is not what the journal has: ${piece.text}`)
    }
    const [window] = piece ? [] : schedule.holding(frame.trueUs ?? frame.wallUs)
    if (!window || window.toUs > simulation.trueWallUs - SETTLED_US) continue
    const { missing } = sealed.folders.get(`${capture}/${window.label}`)?.manifest.journal ?? { missing: [] }
    if (!missing.some(({ from, to }) => from <= frame.position && frame.position < to)) {
      throw model.broke(`${key} at ${frame.position} is in no folder of ${capture}: ${window.label} should hold it`)
    }
  }
  const last = new Map<string, number>()
  const sorted = [...pieces.values()].flatMap(({ lines }) => lines).sort((a, b) => a.seq - b.seq || a.part - b.part)
  for (const { stream, seq, raw } of sorted) {
    const number = Number(/^\{"n":(\d+),/.exec(raw)?.[1] ?? -1)
    if (raw !== model.sent.get(stream)![number]?.text) throw model.broke(`${stream} ${seq} in ${capture} was not sent`)
    if (number <= (last.get(stream) ?? -1)) throw model.broke(`${capture}: message ${number} of ${stream} comes late`)
    last.set(stream, number)
  }
}

/**
 * Lines without what may become known after they were sealed: the time, in a folder without a date or where it was uncertain.
 * @param lost damage may since have taken the record by which the journal knew it
 */
function known({ folder, text }: Piece, lines: string, lost: boolean): string {
  if (folder.manifest.window && !text.includes('"time_uncertain":true') && !lost) return lines
  return lines.replaceAll(/"(?:time_us|clock_us)":\d+,|"time_uncertain":true,/g, '')
}

/**
 * What a window says was heard is what the journal says of that time; less where the time was not known. What was
 * damaged, or removed for want of room, the journal does not know any more.
 */
function checkHeard({ model, simulation }: Lab, folder: Folder, coverage: readonly StreamCoverage[]): void {
  const { name, manifest } = folder
  if (model.damaged.size > 0 || model.room.removals > 0 || !manifest.window) return
  // One that was sealed before its end is sealed again after it.
  if (manifest.window.toUs > simulation.trueWallUs - SETTLED_US) return
  for (const { stream, coverage: said } of manifest.streams) {
    const now = coverage.find((one) => one.stream === stream)
    if (!now) continue
    const heardUs = heardIn(now, said.fromUs, said.toUs)
    const unknown = said.rest.filter(({ cause }) => cause === 'time unknown')
    const unknownUs = unknown.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0)
    if (heardUs >= said.heardUs && heardUs <= said.heardUs + unknownUs) continue
    throw model.broke(`${name} says that ${stream} was heard for ${said.heardUs} µs, the journal ${heardUs}`)
  }
}

function heardIn({ fromUs, toUs, rest }: StreamCoverage, beginUs: Us, endUs: Us): Us {
  const clip = (us: Us): Us => Math.max(beginUs, Math.min(endUs, us))
  const unheardUs = rest.reduce((sum, gap) => sum + clip(gap.toUs) - clip(gap.fromUs), 0)
  return clip(toUs) - clip(fromUs) - unheardUs
}

/**
 * Where the journal was said to be elsewhere too, the primary had all of it, proved; but for what was damaged before it
 * could be sealed.
 * @param kept the frames that can still be read
 */
function checkConfirmed(
  { model, sealed }: Lab,
  pieces: ReadonlyMap<string, ReadonlyMap<string, Piece>>,
  kept: ReadonlySet<string>
): void {
  const frames = [...model.positions].sort(([, a], [, b]) => a - b)
  let at = 0
  for (const { position, atUs } of sealed.confirmed) {
    for (; at < frames.length && frames[at]![1] < position; at++) {
      const [key] = frames[at]!
      const holders = [...pieces.values()].flatMap((own) => own.get(key)?.folder ?? [])
      const proved = holders.some(({ confirmedUs = atUs + 1 }) => confirmedUs <= atUs)
      const given = holders.some((folder) => sealed.isLost(folder))
      const damaged = model.damaged.size > 0 && holders.length === 0 && !kept.has(key)
      // It went for want of room before it could be sealed, as was said.
      const removed = holders.length === 0 && frames[at]![1] < model.room.removedTo
      if (!proved && !given && !damaged && !removed)
        throw model.broke(`the journal is confirmed to ${position}, ${key} is not`)
    }
  }
}

async function contentOf(stored: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of decompressed(simulatedZstd, once(stored), 'zstd')) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* once(stored: Buffer): AsyncGenerator<Buffer> {
  yield stored
}
