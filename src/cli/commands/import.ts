import { basename } from 'node:path'
import { compressionOf } from '../../captures/compressed-file.ts'
import { type ImportReport, importLines } from '../../captures/import.ts'
import { type Command, dataOptions, usage } from '../command.ts'
import { withFileContent } from '../file-content.ts'
import { importGraphs } from '../import-graphs.ts'
import { ownImportTargets } from '../local/own-targets.ts'
import { primaryOptions } from '../primary-folder.ts'
import { countText, plural } from '../text.ts'

export const importCommand: Command = {
  name: 'import',
  summary: 'takes into the journal what files have and it has not',
  operands: 'FILE…',
  operandCount: { min: 0, max: Number.POSITIVE_INFINITY },
  description: [
    'Reads files that `understudy export` wrote and adds what the journal lacks, marked as imported. Made twice, it changes nothing; cut short, it is simply made again. A frame is known by its stream, boot, times and bytes.',
    'With --raw the files have one message a line, as `export --raw` or a plain capture writes them. A message is filed under its own t, and known by its bytes within seven days of it. The stream is named by the file (spin30.jsonl) or by --stream.',
    'A file whose name ends with .zst or .gz is decompressed: sealed files can be imported as they are.',
    "With --graphs nothing is taken into the journal: the students' graphs go on from where a primary's stood. DIR is its DATA_PATH, a copy of it, or user@host:DIR, which is fetched with rsync over ssh; TIME is when it was as it is there, by the primary's clock: what was received until then is in it, and only what came later is added. The next command follows the last in its raw logs. A later TIME replaces an earlier one. Whose table cannot be read is left as it is, and counted.",
    'A line that is not of the format is counted, named by its number, and passed over.'
  ],
  options: {
    ...dataOptions,
    raw: { help: 'The files have one message a line, without envelope.' },
    stream: { value: 'STREAM', help: 'With --raw: the stream they are of.' },
    graphs: { value: 'DIR', help: "Go on from a primary's graphs: a folder, or user@host:DIR." },
    'as-of': { value: 'TIME', help: 'With --graphs: as of when they are, like 2026-11-21T09:30:00Z.' },
    ...primaryOptions,
    json: { help: 'Print the counts as JSON, one object a file.' }
  },
  exits: {
    1: 'Some lines, or the tables of some students, could not be imported; all others were.',
    3: 'Another import is being made.'
  },
  examples: [
    ['import week47/*.jsonl', 'An export, back into the journal.'],
    ['import --raw --stream spin30 old/connect.log', 'An old plain capture.'],
    ['import --graphs /mnt/primary/data --as-of 2026-11-21T09:30:00Z', "The students' graphs, as the primary had them."]
  ],
  async run(call) {
    const { options, positionals } = call
    if ([options.text('graphs'), options.text('as-of')].some((text) => text !== undefined)) return importGraphs(call)
    if (positionals.length === 0) usage('import expects FILE…, or --graphs')
    const stream = options.text('stream')
    if (stream !== undefined && !options.has('raw')) usage('--stream goes with --raw')
    const targets = await ownImportTargets(call)
    let bad = 0
    try {
      for (const path of positionals) {
        const plain = options.has('raw') ? { plainStream: stream ?? streamIn(path) } : {}
        const target = await targets.next()
        const report = await withFileContent(call, path, 'importing', (content, progress) =>
          importLines(content, target, { ...plain, progress })
        )
        bad += report.bad
        const text = options.has('json') ? `${JSON.stringify({ file: path, ...report })}\n` : reportText(path, report)
        await call.terminal.out(text)
      }
    } finally {
      await targets.close()
    }
    return bad > 0 ? 1 : 0
  }
}

/** A plain file is of the stream that it is named after. */
function streamIn(path: string): string {
  const name = basename(path)
  return (compressionOf(name) === undefined ? name : name.replace(/\.[^.]*$/, '')).replace(/\.[^.]*$/, '')
}

function reportText(path: string, { found, known, appended, bad, badLines }: ImportReport): string {
  const counts = `${path}: ${countText(appended)} of ${countText(found)} imported, ${countText(known)} known already`
  if (bad === 0) return `${counts}\n`
  const named = `${badLines.join(', ')}${bad > badLines.length ? ', …' : ''}`
  return `${counts}; ${plural(bad, 'line')} not of the format: ${named}\n`
}
