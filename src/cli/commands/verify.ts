import type { VerifyProblem, VerifyReport } from '../../journal/reading.ts'
import { readNumber } from '../arguments.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { awayText } from '../disk-text.ts'
import { withReader } from '../local/open.ts'
import { Progress } from '../progress.ts'
import { plural } from '../text.ts'

export const verify: Command = {
  name: 'verify',
  summary: 'proves that the journal is what was recorded, or names what is damaged',
  operandCount: { min: 0, max: 0 },
  description: [
    'Reads the whole journal and checks every checksum, the chain of hashes across all stores, the numbers in each stream and the head. Names what is damaged or missing, and where. Changes nothing.'
  ],
  options: {
    ...dataOptions,
    since: { value: 'POSITION', help: 'Check only what was written from this position on.' },
    ...jsonOption
  },
  exits: { 1: 'The journal is damaged.', 5: 'What is here is sound; a part lies on a data disk that is not there.' },
  examples: [
    ['verify', 'Everything.'],
    ['verify --since 1200000 --json', 'From a position on, as JSON.']
  ],
  async run(call) {
    const { world, options, terminal } = call
    const since = options.text('since')
    const from = since === undefined ? {} : { since: readNumber('--since', since, Number.MAX_SAFE_INTEGER) }
    const { data } = await configOf(call)
    const progress = new Progress(terminal, 'verifying')
    const report = await withReader(world, data.directory, (reader) =>
      reader.verify({ ...from, progress: (done, total) => progress.update(total === 0 ? 0 : done / total) })
    ).finally(() => progress.end())
    await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    if (report.problems.length > 0) return 1
    return report.away.length > 0 ? 5 : 0
  }
}

function reportText(report: VerifyReport): string {
  const { stores, blocks, frames, erased, chain, problems } = report
  const parts = [plural(stores, 'store'), plural(blocks, 'block'), plural(frames, 'frame')]
  const found = problems.length === 0 ? 'sound' : plural(problems.length, 'problem')
  return [
    `${found}: ${parts.join(', ')}${erased > 0 ? `, ${erased} of them erased` : ''}`,
    `chain ${chain}`,
    ...problems.map(problemText),
    ...awayText(report.away),
    ''
  ].join('\n')
}

function problemText({ kind, store, fromPosition, toPosition, stream, detail }: VerifyProblem): string {
  const where = fromPosition === undefined ? '' : `, positions ${fromPosition} to ${toPosition ?? '?'}`
  return `${kind}: store ${store}${where}${stream ? `, ${stream}` : ''}: ${detail}`
}
