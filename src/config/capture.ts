import * as v from 'valibot'
import { cronForm, isCron } from './cron.ts'
import { isPattern, patternForm } from './patterns.ts'
import { isStreamName, streamNameForm } from './stream-name.ts'
import { isTimeZone, timeZoneForm } from './time-zone.ts'
import { duration, expected, section, text } from './values.ts'

const formats = ['envelope', 'raw', 'parquet', 'primary'] as const
const compressions = ['zstd', 'gzip'] as const

/** One of `[[capture]]`: a window over the journal, made on a schedule. */
const fields = section({
  /** Its folder's name. */
  name: text(streamNameForm, isStreamName),
  /** When a window begins. */
  schedule: text(cronForm, isCron),
  /** How long it lasts, on the wall's clock: a day is a day where the clock changes too. */
  duration: duration('1m', '366d'),
  /** Default: `time_zone` above. */
  time_zone: v.optional(text(timeZoneForm, isTimeZone)),
  /** Names or patterns; none: all. */
  streams: v.optional(v.array(text(patternForm, isPattern), expected(`a list, each entry ${patternForm}`)), []),
  /** What the files are. */
  format: v.optional(v.picklist(formats, expected(formats.map((name) => `"${name}"`).join(' or '))), 'envelope'),
  /** Of files of lines; default: zstd. */
  compression: v.optional(v.picklist(compressions, expected(compressions.map((name) => `"${name}"`).join(' or '))))
})

const capture = v.pipe(
  fields,
  v.forward(
    v.check(
      ({ format, compression }) => compression === undefined || format === 'envelope' || format === 'raw',
      'found some, expected none with format "parquet" (compressed in itself) or "primary" (plain files)'
    ),
    ['compression']
  )
)

/** All of them. */
export const captures = v.pipe(
  v.array(capture, expected('tables, [[like_this]]')),
  v.check(
    (some) => new Set(some.map(({ name }) => name.toLowerCase())).size === some.length,
    'found a name twice, expected another for each capture'
  )
)

/** Every day from midnight to midnight, all streams. */
export const dailyCapture: v.InferInput<typeof captures> = [{ name: 'daily', schedule: '0 0 * * *', duration: '1d' }]
