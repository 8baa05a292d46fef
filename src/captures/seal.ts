import { join } from 'node:path'
import { MeasuredAvailability } from '../analytics/standby/measured.ts'
import type { CaptureConfig } from '../config/config.ts'
import { UnderstudyError } from '../errors.ts'
import type { Frame, Position, TimeSource } from '../journal/entry.ts'
import type { Positions } from '../journal/reading.ts'
import type { SeriesReader } from '../journal/series-reader.ts'
import type { Files } from '../world/files.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { compressionOf, readCompressed } from './compressed-file.ts'
import { areSameDigests } from './digests.ts'
import { folderFormat } from './formats/formats.ts'
import { MANIFEST, type Manifest, writeManifest } from './manifest.ts'
import type { Window } from './schedule.ts'
import { capturesPath, type SealedFolder, sealedFolder } from './sealed.ts'
import { SealedFiles } from './sealed-files.ts'
import { Zone } from './zone.ts'

/** What happens on the way to a sealed folder, in this order: after each of them the power may fail. */
export const sealSteps = [
  'due',
  'begun',
  'written',
  'read back',
  'manifest written',
  'renamed',
  'folder synced',
  'noted'
] as const

export type SealStep = (typeof sealSteps)[number]

export interface SealJob {
  /** The data folder. */
  readonly directory: string
  readonly site: string
  readonly version: string
  readonly capture: CaptureConfig
  readonly wanted: (stream: string) => boolean
  readonly folder: string
  /** From 1 on; a supplement is made only where there is more, or something else was heard. */
  readonly supplement: number
  /** Set where it holds all of the window: there is no folder before it, or those are lost. */
  readonly isWhole?: boolean
  /** The last folder of the window until now. */
  readonly former?: string
  readonly window?: Window
  /** Without a window: the positions that are sealed, `to` exclusive, and their boot. */
  readonly undated?: Positions & { readonly boot: string }
  /** The journal is read up to here. */
  readonly before: Position
  readonly missing: readonly Positions[]
  readonly completeBelow: Position
  /** Whether a frame is in an earlier folder of this capture. */
  readonly isSealed: (frame: Frame) => boolean
  readonly nowUs: Us
  /** By what that is known. */
  readonly timeSource: TimeSource
  /** The time is known up to here; absent: now too. What was heard since has no time yet. */
  readonly knownUs?: Us
  readonly signal: AbortSignal
  readonly step: (step: SealStep) => void | Promise<void>
  /** Told now and then: frames so far, and the position reached. */
  readonly progress?: (frames: number, position: Position) => void
}

/**
 * Makes one folder of a capture: written under another name, synced, read back, checked and renamed, so that it is
 * there whole or not at all. Recording goes on in between.
 * @returns nothing where there is nothing to make a supplement or an undated folder of
 */
export async function sealFolder(world: World, journal: SeriesReader, job: SealJob): Promise<SealedFolder | undefined> {
  const { files } = world
  await job.step('due')
  const parent = join(capturesPath(job.directory), job.capture.name)
  const temporary = join(parent, unfinishedName(job.folder))
  await files.remove(temporary)
  await files.makeDirectory(temporary, 0o750)
  await job.step('begun')
  const { format, compression, timeZone } = job.capture
  const zone = new Zone(timeZone)
  const dayOf = (us: Us): string | undefined => (job.window ? zone.date(us) : undefined)
  const written = new SealedFiles(folderFormat(format, { compression, dayOf })(world, temporary))
  const pause = async (): Promise<void> => {
    job.signal.throwIfAborted()
    await new Promise<void>((resolve) => world.timers.afterInput(resolve))
  }
  const isMissing = ({ position }: Frame): boolean =>
    job.missing.some(({ from, to }) => position >= from && position < to)
  try {
    let frames = 0
    const primary = await availabilityOf(journal, job)
    const { passedOver } = journal
    for await (const batch of framesOf(journal, job)) {
      const wanted = batch.filter((frame) => job.wanted(frame.stream) && !job.isSealed(frame) && !isMissing(frame))
      await written.write(wanted)
      for (const frame of wanted) primary?.add(frame)
      frames += wanted.length
      job.progress?.(frames, batch.at(-1)?.position ?? 0)
      await pause()
    }
    // The next attempt says what is missing.
    if (journal.passedOver !== passedOver) {
      throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', 'while a capture was made')
    }
    const isNeeded =
      frames > 0 || (job.window && (job.supplement === 1 || (await isHeardOtherwise(files, journal, job))))
    if (!isNeeded) {
      await written.abandon()
      await files.remove(temporary)
      return undefined
    }
    const listed = await written.finish(pause)
    await job.step('written')
    for (const { name, ...digests } of listed) {
      const back = await readCompressed(world, join(temporary, name), compressionOf(name), pause)
      if (!areSameDigests(back, digests)) throw new Error(`${name} does not read back as it was written`)
    }
    await job.step('read back')
    const manifest = await manifestOf(journal, job, written, listed, primary)
    const file = await files.open(join(temporary, MANIFEST), 'create', 0o640)
    try {
      await file.write(writeManifest(manifest), 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await files.syncDirectory(temporary)
  } catch (error) {
    await written.abandon()
    throw error
  }
  await job.step('manifest written')
  await files.rename(temporary, join(parent, job.folder))
  await job.step('renamed')
  await files.syncDirectory(parent)
  await job.step('folder synced')
  return sealedFolder(files, job.directory, job.capture.name, job.folder)
}

/** Whether more or less of the window was heard than the folder before says, as far as that is still here to be asked. */
async function isHeardOtherwise(files: Files, journal: SeriesReader, job: SealJob): Promise<boolean> {
  const { former, window, directory, capture } = job
  const folder = former && (await sealedFolder(files, directory, capture.name, former))
  if (!folder || !window) return window !== undefined
  const said = new Map(folder.manifest.streams.map(({ stream, coverage }) => [stream, coverage.heardUs]))
  const { fromUs, toUs } = window
  const coverage = await journal.coverage({ streams: [...said.keys()], fromUs, toUs })
  return coverage.some(({ stream, heardUs }) => heardUs !== said.get(stream))
}

/** What a folder is called while it is made. */
export function unfinishedName(folder: string): string {
  return `.${folder}.new`
}

async function* framesOf(journal: SeriesReader, job: SealJob): AsyncGenerator<readonly Frame[]> {
  const { window, undated, before } = job
  const all = await journal.streams()
  const streams = all.filter(job.wanted)
  const narrowed = streams.length < all.length ? { streams: new Set(streams) } : {}
  if (window) {
    yield* journal.range({ fromUs: window.fromUs, toUs: window.toUs, before, ...narrowed })
  } else if (undated) {
    const cursor = journal.cursor({ position: undated.from })
    while (cursor.position < undated.to) {
      const entries = await cursor.next()
      const frames = entries.filter((entry): entry is Frame => entry.kind === 'frame' && entry.position < undated.to)
      if (entries.length === 0) return
      yield frames
    }
  }
}

/** A supplement has not all that was said: only a folder that holds all of a window measures the primary. */
async function availabilityOf(
  journal: SeriesReader,
  { window, isWhole }: SealJob
): Promise<MeasuredAvailability | undefined> {
  if (!window || !isWhole) return undefined
  return new MeasuredAvailability(await journal.coverage({ fromUs: window.fromUs, toUs: window.toUs }))
}

async function manifestOf(
  journal: SeriesReader,
  job: SealJob,
  written: SealedFiles,
  listed: Manifest['files'],
  primary: MeasuredAvailability | undefined
): Promise<Manifest> {
  const { capture, window, undated, supplement, nowUs } = job
  const zone = new Zone(capture.timeZone)
  const { leftOut } = written
  const period = window ?? written.period
  const streams = (await journal.streams()).filter(job.wanted)
  const knownUs = Math.max(period.fromUs, Math.min(period.toUs, job.knownUs ?? period.toUs))
  const coverage = await journal.coverage({ streams, fromUs: period.fromUs, toUs: knownUs })
  const later = { fromUs: knownUs, toUs: period.toUs, kind: 'uncertain', cause: 'time unknown' } as const
  const { first, last } = written
  const around = first !== undefined && last !== undefined ? await journal.chainAround(first, last) : {}
  return {
    format: 1,
    version: job.version,
    site: job.site,
    capture: capture.name,
    folder: job.folder,
    supplement,
    ...(supplement > 1 && window && { supplements: window.label }),
    ...(window && {
      window: {
        fromUs: window.fromUs,
        toUs: window.toUs,
        from: zone.iso(window.fromUs),
        to: zone.iso(window.toUs),
        timeZone: capture.timeZone,
        schedule: capture.schedule,
        durationMs: capture.durationMs
      }
    }),
    ...(undated && { undated: { boot: undated.boot, fromPosition: undated.from, toPosition: undated.to } }),
    sealedUs: nowUs,
    sealed: zone.iso(nowUs),
    content: capture.format,
    timeSources: [...new Set([...written.timeSources, job.timeSource])].sort(),
    ...(leftOut > 0 && { leftOut }),
    streams: coverage.map(({ stream, fromUs, heardUs, rest }) => ({
      ...written.countsOf(stream),
      coverage: { fromUs, toUs: period.toUs, heardUs, rest: knownUs < period.toUs ? [...rest, later] : [...rest] },
      ...primary?.figures(stream, period.toUs)
    })),
    files: listed,
    names: Object.fromEntries(written.encodedNames),
    journal: { before: job.before, missing: [...job.missing], ...around, completeBelow: job.completeBelow }
  }
}
