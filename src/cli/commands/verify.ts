import { resolve } from 'node:path'
import { capturesPath } from '../../captures/sealed.ts'
import { verifyCaptures } from '../../captures/verify-captures.ts'
import type { VerifyProblem, VerifyReport } from '../../journal/reading.ts'
import { readCount } from '../arguments.ts'
import { type Command, dataOptions, jsonOption, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { awayText } from '../disk-text.ts'
import { withReader } from '../local/open.ts'
import { Progress } from '../progress.ts'
import type { Call } from '../terminal.ts'
import { plural } from '../text.ts'

export const verify: Command = {
  name: 'verify',
  summary: 'proves that the journal, or the sealed folders, are what was recorded, or names what is damaged',
  operands: '[captures]',
  operandCount: { min: 0, max: 1 },
  description: [
    'Reads the whole journal and checks every checksum, the chain of hashes across all stores, the numbers in each stream and the head. Names what is damaged or missing, and where. Changes nothing.',
    'With captures it checks the sealed folders instead, each with nothing but itself: that every file its manifest lists is there, and has its size and SHA-256, compressed and not, and that nothing else is.'
  ],
  options: {
    ...dataOptions,
    since: { value: 'POSITION', help: 'Check only what was written from this position on.' },
    in: {
      value: 'DIR',
      help: 'With captures: the folder that holds them, e.g. on the primary; default captures in the data folder.'
    },
    ...jsonOption
  },
  exits: {
    1: 'The journal, or a sealed folder, is damaged.',
    5: 'What is here is sound; a part lies on a data disk that is not there.'
  },
  examples: [
    ['verify', 'Everything.'],
    ['verify --since 1200000 --json', 'From a position on, as JSON.'],
    ['verify captures', 'Every sealed folder.']
  ],
  async run(call) {
    const { world, options, positionals, terminal } = call
    if (positionals.length > 0) return verifyFolders(call)
    const since = options.text('since')
    const from = since === undefined ? {} : { since: readCount('--since', since) }
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

async function verifyFolders(call: Call): Promise<number> {
  const { world, options, positionals, terminal } = call
  if (positionals[0] !== 'captures') usage('verify takes nothing, or captures')
  const root = options.text('in')
  const path = root === undefined ? capturesPath((await configOf(call)).data.directory) : resolve(root)
  const progress = new Progress(terminal, 'verifying')
  const report = await verifyCaptures(world, path, (share) => progress.update(share)).finally(() => progress.end())
  const { folders, files, frames, messages, problems } = report
  const counts = [
    plural(folders, 'folder'),
    plural(files, 'file'),
    plural(frames, 'frame'),
    plural(messages, 'message')
  ]
  const text = [
    `${problems.length === 0 ? 'sound' : plural(problems.length, 'problem')}: ${counts.join(', ')}`,
    ...problems.map(({ folder, file, kind }) => `${kind}: ${folder}${file === undefined ? '' : `/${file}`}`),
    ''
  ].join('\n')
  await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : text)
  return problems.length > 0 ? 1 : 0
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
