import { resolve } from 'node:path'
import type { Compression } from '../../captures/compressed-file.ts'
import { type ExportReport, exportToDirectory, exportToOutput } from '../../captures/export.ts'
import type { FolderFormat, Format } from '../../captures/formats/format.ts'
import { folderFormat, formatNames, lineFormats } from '../../captures/formats/formats.ts'
import { readPeriod } from '../arguments.ts'
import { type Command, dataOptions, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { awayText } from '../disk-text.ts'
import { privacyOf } from '../export-privacy.ts'
import { requireStreams, withReader } from '../local/open.ts'
import { Progress } from '../progress.ts'
import type { Options } from '../terminal.ts'
import { countText, plural } from '../text.ts'

export const exportCommand: Command = {
  name: 'export',
  summary: 'writes what was recorded as files of JSON lines',
  operandCount: { min: 0, max: 0 },
  description: [
    'Writes the messages of a period, in order of arrival, one file a stream (spin30.jsonl). Each line is a message with its envelope: stream, seq (the number of its frame), part (its place in the frame), time_us (µs since 1970; where the clock was found to be wrong later, the true time, with clock_us as it said then, and time_uncertain where the time is only bounded), mono_us and boot (monotonic time), synced (whether the clock was held to be right; time_source says by what where that was not ntp), origin, binary (where its frame was), what the message says of user, t, exp, course, hardware, type and log, and the message itself as it came: raw, or raw_b64 where it is not UTF-8. Parts of frames that are no JSON have lines too.',
    'With --raw each line is exactly the message, as it came; line breaks inside of a message are taken out. What is no JSON goes, with its envelope, to a file beside (spin30.other), or to standard output not at all, and is counted.',
    'With --format parquet the envelope becomes columns, in one file a stream and day in UTC (spin30-2026-11-21.parquet), compressed by zstd: for pandas, DuckDB, Arrow.',
    'With --format primary the folder has the layout of the primary analytics server: the raw logs of all commands (USER-HARDWARE-EXP-COURSE.json), and for each student the matrix and the feedback table counted from them (USER-EXP-COURSE-adjacency.csv, USER-EXP-COURSE-feedback.csv). It is for looking at: put in place on the primary, the raw logs would be counted twice. Names from messages that could not be the name of a file are encoded, and names.json says what they are.',
    'With --pseudonyms every user id is replaced, in each message and in the names of files, by p and 32 hex digits of its HMAC-SHA-256: the same key gives the same names in every term, so keep it, and keep it secret. The ids are those that any message of the whole journal has in user, username, actor and the like; they are replaced in other texts too (those below four characters only where they stand alone). Messages are written anew for it; what is no JSON is dropped and counted. What people wrote themselves (the input of feedback, the answers of surveys) is dropped unless --keep-text is given.',
    'A file appears under its name when the export is whole. What is there already is never overwritten.'
  ],
  options: {
    ...dataOptions,
    out: { value: 'DIR', help: 'The folder to write to; - writes all streams to standard output instead.' },
    stream: { value: 'STREAM', multiple: true, help: 'Only this stream; may be given several times.' },
    from: {
      value: 'TIME',
      help: 'Only from then on: ISO 8601 with its zone, or a date, which is its midnight in UTC.'
    },
    to: { value: 'TIME', help: 'Only before then; as --from.' },
    format: {
      value: 'FORMAT',
      help: 'envelope (the default), raw, parquet or primary; the last two not to standard output.'
    },
    raw: { help: 'The same as --format raw.' },
    compress: { value: 'zstd|gzip', help: 'Compress the files of lines: spin30.jsonl.zst or spin30.jsonl.gz.' },
    pseudonyms: {
      value: 'KEYFILE',
      help: 'Replace user ids by names made with the key in this file (32 bytes or more, readable by its owner only).'
    },
    'keep-text': { help: 'With --pseudonyms: keep what people wrote themselves.' },
    'only-users': { value: 'FILE', help: 'Only messages that name one of these users, one id a line.' },
    'without-users': { value: 'FILE', help: 'No messages that name one of these users, one id a line.' },
    json: { help: 'Print the counts as JSON (not with --out -).' }
  },
  exits: {},
  examples: [
    ['export --out week47 --from 2026-11-16 --to 2026-11-23', 'One week, one file a stream.'],
    ['export --stream spin30 --raw --out - | jq .user', 'Every message of a stream, piped on.']
  ],
  async run(call) {
    const { world, options, terminal } = call
    const out = options.text('out') ?? usage('export needs --out')
    const wanted = options.texts('stream')
    const period = readPeriod(options)
    const { lines, folder } = formatOf(options)
    if (out === '-' && lines === undefined) usage('this format needs a folder')
    if (out === '-' && options.text('compress') !== undefined) usage('--compress needs a folder')
    const { data } = await configOf(call)
    const bar = new Progress(terminal, 'exporting')
    const report = await withReader(world, data.directory, async (reader) => {
      await requireStreams(reader, wanted)
      for (const line of awayText(reader.away)) terminal.err(`${line}\n`)
      const { firstPosition, nextPosition } = reader
      const share = (position: number): number => (position - firstPosition) / (nextPosition - firstPosition)
      const privacy = await privacyOf(call, reader, (position) => bar.update(share(position) / 2))
      const range = { ...period, before: nextPosition, ...(wanted.length > 0 && { streams: new Set(wanted) }) }
      const progress = (_frames: number, position: number): void =>
        bar.update(options.has('pseudonyms') ? (1 + share(position)) / 2 : share(position))
      const how = { query: range, progress, ...(privacy && { privacy }) }
      return out === '-' && lines !== undefined
        ? exportToOutput((data) => terminal.out(data), reader, { ...how, format: lines })
        : exportToDirectory(world, reader, resolve(out), { ...how, format: folder })
    }).finally(() => bar.end())
    if (out === '-') terminal.err(reportText(report))
    else await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    return 0
  }
}

interface ChosenFormat {
  /** Absent where it is no format of lines. */
  readonly lines?: Format
  readonly folder: FolderFormat
}

function formatOf(options: Options): ChosenFormat {
  const wanted = options.text('format') ?? (options.has('raw') ? 'raw' : 'envelope')
  const name = formatNames.find((one) => one === wanted) ?? usage(`--format expects one of ${formatNames.join(', ')}`)
  const compression = compressionIn(options)
  const lines = lineFormats[name]
  if (!lines && compression !== undefined) usage(`--compress does not go with --format ${name}`)
  return { ...(lines && { lines }), folder: folderFormat(name, { compression }) }
}

function compressionIn(options: Options): Compression | undefined {
  const name = options.text('compress')
  if (name === undefined || name === 'zstd' || name === 'gzip') return name
  return usage('--compress expects zstd or gzip')
}

function reportText({
  frames,
  messages,
  others,
  leftOut,
  filtered,
  unsearchable,
  erased,
  files
}: ExportReport): string {
  const counts = [`${plural(messages, 'message')} in ${plural(frames, 'frame')}`]
  if (others > 0) counts.push(`${plural(others, 'part')} no JSON`)
  if (leftOut > 0) counts.push(`${countText(leftOut)} left out by the format`)
  if (filtered > 0) counts.push(`${countText(filtered)} of other users`)
  if (unsearchable > 0) counts.push(`${plural(unsearchable, 'part')} dropped that cannot be searched for ids`)
  if (erased > 0) counts.push(`${countText(erased)} frames erased`)
  if (files.length > 0) counts.push(plural(files.length, 'file'))
  return `${counts.join(', ')}\n`
}
