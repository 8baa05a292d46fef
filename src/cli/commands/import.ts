import { basename } from 'node:path'
import { compressionOf } from '../../captures/compressed-file.ts'
import { type ImportReport, importLines } from '../../captures/import.ts'
import { type Command, dataOptions, usage } from '../command.ts'
import { withFileContent } from '../file-content.ts'
import { ownImportTargets } from '../local/own-targets.ts'
import { countText, plural } from '../text.ts'

export const importCommand: Command = {
  name: 'import',
  summary: 'takes into the journal what files have and it has not',
  operands: 'FILE…',
  operandCount: { min: 1, max: Number.POSITIVE_INFINITY },
  description: [
    'Reads files that `understudy export` wrote and adds what the journal lacks, marked as imported. Made twice, it changes nothing; cut short, it is simply made again. A frame is known by its stream, boot, times and bytes.',
    'With --raw the files have one message a line, as `export --raw` or a plain capture writes them. A message is filed under its own t, and known by its bytes within seven days of it. The stream is named by the file (spin30.jsonl) or by --stream.',
    'A file whose name ends with .zst or .gz is decompressed: sealed files can be imported as they are.',
    'A line that is not of the format is counted, named by its number, and passed over.'
  ],
  options: {
    ...dataOptions,
    raw: { help: 'The files have one message a line, without envelope.' },
    stream: { value: 'STREAM', help: 'With --raw: the stream they are of.' },
    json: { help: 'Print the counts as JSON, one object a file.' }
  },
  exits: {
    1: 'Some lines could not be imported; all others were.',
    3: 'Another import is being made.'
  },
  examples: [
    ['import week47/*.jsonl', 'An export, back into the journal.'],
    ['import --raw --stream spin30 old/connect.log', 'An old plain capture.']
  ],
  async run(call) {
    const { options, positionals } = call
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
