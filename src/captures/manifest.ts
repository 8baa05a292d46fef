import * as v from 'valibot'
import type { Files } from '../world/files.ts'
import { formatOf } from '../world/newer-file.ts'
import { parseJson } from './json.ts'

const FORMAT = 1

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const us = v.pipe(v.number(), v.safeInteger())
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
/** A name inside of the folder, never a path. */
const plainName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,254}$/))
const positions = v.object({ from: count, to: count })

/** The first or last frame of a stream. */
const end = v.object({ seq: count, position: count, timeUs: us })

const unheard = v.object({
  fromUs: us,
  toUs: us,
  kind: v.picklist(['gap', 'uncertain']),
  cause: v.string(),
  code: v.optional(v.string())
})

/** How the primary answered what students' dashboards asked for; see docs/standby.md. */
const primary = v.object({
  asked: count,
  replied: count,
  repliedUs: count,
  longestUs: count,
  stoodIn: count,
  outages: v.array(v.object({ fromUs: us, toUs: v.optional(us) }))
})

const stream = v.object({
  stream: v.string(),
  frames: count,
  /** JSON messages. */
  messages: count,
  /** Parts of frames that are no JSON. */
  others: count,
  /** Frames whose payload was erased; what is left of them is here. */
  erased: count,
  /** Frames whose true time is only bounded. */
  timeUncertain: count,
  /** Of the frames as they came. */
  payloadBytes: count,
  /** Absent without frames. */
  first: v.optional(end),
  last: v.optional(end),
  /** Frames by where they came from. */
  origins: v.object({ relay: count, own: count, import: count }),
  /** What was heard, to the last µs: `heardUs` and the lengths of `rest` make up the period. */
  coverage: v.object({ fromUs: us, toUs: us, heardUs: count, rest: v.array(unheard) }),
  /** Absent where nothing was asked or answered, and in a supplement. */
  primary: v.optional(primary)
})

const file = v.object({
  name: plainName,
  bytes: count,
  sha256: hash,
  /** What comes out of `zstd -dc` or `gzip -dc`; absent where the file is not compressed as a whole. */
  uncompressed: v.optional(v.object({ bytes: count, sha256: hash }))
})

/** The chain's hash at a position (see docs/journal.md): of everything before it. */
const link = v.object({ position: count, chain: hash })

const schema = v.object({
  format: v.literal(FORMAT),
  /** The Understudy that wrote it. */
  version: v.string(),
  site: v.string(),
  capture: plainName,
  /** The folder's own name. */
  folder: plainName,
  /** 1 for the first; from 2 on it holds only what the ones before it have not. */
  supplement: v.pipe(count, v.minValue(1)),
  /** The folder that a supplement adds to: the first of this window. */
  supplements: v.optional(plainName),
  /** Absent in a folder that was sealed without any time. */
  window: v.optional(
    v.object({
      fromUs: us,
      toUs: us,
      from: v.string(),
      to: v.string(),
      timeZone: v.string(),
      schedule: v.string(),
      durationMs: count
    })
  ),
  /** Instead of it, in a folder sealed under boot and position: all frames of these positions. */
  undated: v.optional(v.object({ boot: v.string(), fromPosition: count, toPosition: count })),
  sealedUs: us,
  sealed: v.string(),
  /** The format of the files: `envelope`, `raw`, … */
  content: v.string(),
  /**
   * By what the clock was held to be right when these frames came and when the folder was sealed; with `none` it was not,
   * for some of them. Absent in a folder of an older release.
   */
  timeSources: v.optional(v.array(v.picklist(['ntp', 'relay', 'trusted', 'none']))),
  /** JSON messages that the format has no place for; absent where it has one for all. */
  leftOut: v.optional(count),
  streams: v.array(stream),
  files: v.array(file),
  /** What stands in the names of files for names that cannot be a file's, and what it stands for. */
  names: v.record(v.string(), v.string()),
  journal: v.object({
    /** The journal was read up to this position, exclusive. */
    before: count,
    /** What could not be read; it comes in a supplement if it is salvaged. */
    missing: v.array(positions),
    /** Before the block that holds the first frame, and after the one that holds the last; absent without frames. */
    first: v.optional(link),
    last: v.optional(link),
    /**
     * Every frame before this position is in this folder or in one that this capture sealed earlier, among those it
     * captures. So once all of them are elsewhere too, so is the journal up to here, for a capture of all streams.
     */
    completeBelow: count
  })
})

/** What stands in `manifest.json` of a sealed folder. Times are µs since 1970, positions the journal's. */
export type Manifest = Readonly<v.InferOutput<typeof schema>>
export type ManifestStream = Manifest['streams'][number]
export type ManifestFile = Manifest['files'][number]

export const MANIFEST = 'manifest.json'

export function writeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)
}

/** `undefined` for what is no manifest, or one of a newer format. */
export function readManifest(bytes: Buffer): Manifest | undefined {
  const read = v.safeParse(schema, parseJson(bytes.toString()))
  return read.success ? read.output : undefined
}

/** Whether the folder was sealed by a newer release, whose manifest this one cannot read. */
export async function isNewerFolder(files: Files, folder: string): Promise<boolean> {
  const path = `${folder}/${MANIFEST}`
  if (!(await files.info(path))) return false
  return (formatOf((await files.readFile(path)).toString()) ?? 0) > FORMAT
}

/** The manifest of a sealed folder, with its bytes; `undefined` where there is none that can be read. */
export async function manifestOf(
  files: Files,
  folder: string
): Promise<{ readonly manifest: Manifest; readonly bytes: Buffer } | undefined> {
  const path = `${folder}/${MANIFEST}`
  if (!(await files.info(path))) return undefined
  const bytes = await files.readFile(path)
  const manifest = readManifest(bytes)
  return manifest && { manifest, bytes }
}
