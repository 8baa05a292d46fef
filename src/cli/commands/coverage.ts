import { readPeriod } from '../arguments.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { awayText } from '../disk-text.ts'
import { requireStreams, withReader } from '../local/open.ts'
import { coverageTable } from '../table.ts'

export const coverage: Command = {
  name: 'coverage',
  summary: 'says which share of a period each stream was heard, and what was not',
  operands: '[STREAM…]',
  operandCount: { min: 0, max: Number.POSITIVE_INFINITY },
  description: [
    'Prints for each stream the exact share of the period in which it was heard, and lists the rest: gaps, with their cause, and times in which messages may have been lost unseen (uncertain). Heard means proved to be heard, by messages or by the answers of the relay; a quiet stream is heard too.',
    'Without --from the period begins with the first record, without --to it ends now.'
  ],
  options: {
    ...dataOptions,
    from: { value: 'TIME', help: 'The beginning: ISO 8601 with its zone, or a date, which is its midnight in UTC.' },
    to: { value: 'TIME', help: 'The end, exclusive; as --from.' },
    ...jsonOption
  },
  exits: {},
  examples: [
    ['coverage', 'All streams, from the first record on.'],
    ['coverage spin30 --from 2026-11-20 --to 2026-11-21 --json', 'One stream, one day in UTC, as JSON.']
  ],
  async run(call) {
    const { world, options, positionals: wanted, terminal } = call
    const period = readPeriod(options)
    const { data } = await configOf(call)
    const found = await withReader(world, data.directory, async (reader) => {
      await requireStreams(reader, wanted)
      for (const line of awayText(reader.away)) terminal.err(`${line}\n`)
      return reader.coverage(wanted.length > 0 ? { ...period, streams: wanted } : period)
    })
    await terminal.out(options.has('json') ? `${JSON.stringify(found)}\n` : coverageTable(found))
    return 0
  }
}
