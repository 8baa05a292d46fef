import { basename, resolve } from 'node:path'
import { buildModel, modelCsv } from '../../analytics/build-model.ts'
import { Counts } from '../../analytics/count.ts'
import { sum } from '../../analytics/measures/matrix.ts'
import { loadModels, type Model, type Models, shippedGraphs } from '../../analytics/models.ts'
import { counted } from '../../captures/lines.ts'
import { messagesInFile } from '../../captures/messages-in-file.ts'
import { UnderstudyError } from '../../errors.ts'
import { writeDurably } from '../../world/files.ts'
import { type Command, dataOptions, jsonOption, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { withFileContent } from '../file-content.ts'
import { table } from '../table.ts'
import type { Call } from '../terminal.ts'
import { countText, plural } from '../text.ts'

const BAD_LINES_NAMED = 20

export const graphs: Command = {
  name: 'graphs',
  summary: 'checks the comparison graphs, or makes one of a log',
  operands: 'check [DIR] | build LOG…',
  operandCount: { min: 1, max: Number.POSITIVE_INFINITY },
  description: [
    'A comparison graph says how often the commands of a task follow each other when somebody does it well; students are measured against it. It is a file EXP-COURSE-TASK.csv, a table from command to command, as the primary uses it. Those of a whole course are named EXP-COURSE-all.',
    'check reads every graph of DIR (default: [primary] comp_path, else those that Understudy comes with), lists them, and names each file that cannot be used with what is wrong about it.',
    "build counts a teacher's own commands, as a student's are counted, and writes them as a graph. Each LOG is a raw log of the primary, or an export or sealed file of ours, with envelope or without, compressed or not; - is what comes in. The name of the new file says what the graph is of. A line that is no message is counted, named by its number, and passed over."
  ],
  options: {
    config: dataOptions.config,
    out: { value: 'FILE', help: 'With build: the new graph, EXP-COURSE-TASK.csv; nothing is overwritten.' },
    user: { value: 'USER', help: 'With build: whose commands, where the log has those of several people.' },
    course: { value: 'COURSE', help: 'With build: the course the log was made in, where it is another one.' },
    ...jsonOption
  },
  exits: { 1: 'A graph cannot be used, or none can be made of the log, or not of all its lines.' },
  examples: [
    ['graphs check', 'The graphs in force.'],
    ['graphs build my-log.json --out spinner-cie3-5.csv', 'A new task of cie3.'],
    ['graphs check .', 'The graphs of this folder.']
  ],
  run(call) {
    const [verb, ...operands] = call.positionals
    if (verb === 'check' && operands.length <= 1) return check(call, operands[0])
    if (verb === 'build' && operands.length > 0) return build(call, operands)
    return usage(`graphs expects ${graphs.operands}`)
  }
}

async function check(call: Call, named: string | undefined): Promise<number> {
  const { world, terminal, options } = call
  const directory = named === undefined ? ((await configOf(call)).primary.compPath ?? shippedGraphs) : resolve(named)
  const models = await loadModels(world.files, directory)
  const { problems } = models
  const found = models.list().map(summary)
  await terminal.out(
    options.has('json') ? `${JSON.stringify({ directory, graphs: found, problems })}\n` : checkText(models)
  )
  return problems.length > 0 ? 1 : 0
}

function summary({ name, exp, course, task, matrix }: Model): Record<string, string | number> {
  const edges = matrix.flat().filter((weight) => weight > 0).length
  return { graph: name, exp, course, task, edges, transitions: sum(matrix) }
}

function checkText(models: Models): string {
  const rows = models.list().map((model) => {
    const { graph, exp, course, task, edges, transitions } = summary(model)
    return [graph, exp, course, task].map(String).concat([edges, transitions].map((one) => countText(Number(one))))
  })
  const titles = ['GRAPH', 'EXPERIMENT', 'COURSE', 'TASK', '>EDGES', '>TRANSITIONS']
  const bad = models.problems.map(({ file, code, detail }) => `${file}: ${code}: ${detail}\n`)
  return `${table(titles, rows)}${bad.length > 0 ? '\n' : ''}${bad.join('')}`
}

async function build(call: Call, logs: readonly string[]): Promise<number> {
  const { world, terminal, options } = call
  const out = options.text('out') ?? usage('graphs build needs --out')
  const path = resolve(out)
  const [, name] = /^(.+)\.csv$/.exec(basename(path)) ?? usage('--out expects EXP-COURSE-TASK.csv')
  if (await world.files.info(path)) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', out)
  const counts = new Counts()
  const bad: string[] = []
  for (const log of logs) {
    await withFileContent(call, log, 'reading', async (content, progress) => {
      for await (const { number, messages } of messagesInFile(counted(content, progress))) {
        if (messages.length === 0) bad.push(`${basename(log)}:${number}`)
        for (const message of messages) counts.add(message, undefined)
      }
    })
  }
  const model = made(name!, counts, call)
  await writeDurably(world.files, path, modelCsv(model), 0o644)
  const report = { ...summary(model), badLines: bad.length }
  await terminal.out(
    options.has('json')
      ? `${JSON.stringify(report)}\n`
      : `${plural(sum(model.matrix), 'transition')} written to ${out}\n`
  )
  if (bad.length > 0)
    terminal.err(
      `understudy: ${bad.length === 1 ? '1 line that is' : `${countText(bad.length)} lines that are`} no message: ${bad.slice(0, BAD_LINES_NAMED).join(', ')}\n`
    )
  return bad.length > 0 ? 1 : 0
}

function made(name: string, counts: Counts, { options }: Call): Model {
  try {
    return buildModel(name, counts, { user: options.text('user'), course: options.text('course') })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UnderstudyError('UNDERSTUDY_GRAPH_INVALID', `${name}.csv: ${error.message}`)
  }
}
