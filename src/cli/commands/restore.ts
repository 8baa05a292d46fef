import { resolve } from 'node:path'
import { reconcile } from '../../sync/reconcile.ts'
import type { PrimaryFolder } from '../../sync/reconcile-folder.ts'
import { importMissing } from '../../sync/reconcile-import.ts'
import { type RestoreReport, restore } from '../../sync/restore.ts'
import { type Command, dataOptions, jsonOption, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { withReader } from '../local/open.ts'
import { ownImportTargets } from '../local/own-targets.ts'
import { primaryOptions, withPrimaryFolder } from '../primary-folder.ts'
import { Progress } from '../progress.ts'
import type { Call } from '../terminal.ts'
import { plural } from '../text.ts'

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'builds the data folder of a primary from what was recorded',
  operandCount: { min: 0, max: 0 },
  description: [
    "Writes a complete DATA_PATH into a new folder, to be put in place while the primary is stopped: each student's matrix and feedback table as counted from the whole journal, and as raw log the last command that was counted, which the primary makes the next transition from.",
    'With --heal, a damaged DATA_PATH and the journal are joined: what only the damaged one has in its raw logs is first taken into the journal, as `reconcile --import` does; tables of students of whom the journal has nothing are taken over. Where the primary has counted more than the journal knows of (the Pi came later, or did not hear it), the count of the journal is written unless --keep-counted is given. The damaged folder itself is not changed.',
    'To add missed lines to a raw log would be wrong: it makes transitions that never were.'
  ],
  options: {
    ...dataOptions,
    ...primaryOptions,
    out: { value: 'DIR', help: 'The folder to write to. No file in it is overwritten.' },
    heal: { value: 'DIR', help: 'A damaged DATA_PATH to join with the journal: a folder, or user@host:DIR.' },
    'keep-counted': { help: 'With --heal: keep what the primary has counted more than the journal.' },
    ...jsonOption
  },
  exits: { 1: 'The primary has counted more in some tables, and it was not kept.', 3: 'Another import is being made.' },
  examples: [
    ['restore --out /tmp/data', 'What a primary that has lost everything should have.'],
    ['restore --heal /mnt/primary/data --out /tmp/data', 'The same, with what the primary has left.']
  ],
  async run(call) {
    const { world, options, terminal } = call
    const out = resolve(options.text('out') ?? usage('restore needs --out'))
    const damaged = options.text('heal')
    if (damaged === undefined && options.has('keep-counted')) usage('--keep-counted goes with --heal')
    const { data } = await configOf(call)
    const bar = new Progress(terminal, 'counting')
    const report: Report = await (damaged === undefined
      ? withReader(world, data.directory, (reader) => {
          const { firstPosition, nextPosition } = reader
          const progress = (at: number): void => bar.update((at - firstPosition) / (nextPosition - firstPosition))
          return restore(world.files, out, reader, { progress })
        })
      : withPrimaryFolder(call, damaged, data.directory, (folder) => heal(call, folder, out))
    ).finally(() => bar.end())
    await terminal.out(
      options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report, options.has('keep-counted'))
    )
    return report.countedMore > 0 && !options.has('keep-counted') ? 1 : 0
  }
}

interface Report extends RestoreReport {
  /** Messages that only the primary had. */
  readonly imported?: number
}

async function heal(call: Call, folder: PrimaryFolder, out: string): Promise<Report> {
  const targets = await ownImportTargets(call)
  try {
    const target = await targets.next()
    const { fingerprints } = await reconcile(folder, target)
    const { imported } = await importMissing(folder, fingerprints, target)
    const joined = await targets.next()
    const { differences } = await reconcile(folder, joined)
    const keepCounted = call.options.has('keep-counted')
    const theirs = await folder.tables()
    return { ...(await restore(call.world.files, out, joined, { theirs, differences, keepCounted })), imported }
  } finally {
    await targets.close()
  }
}

function reportText({ students, files, takenOver, imported, countedMore }: Report, kept: boolean): string {
  const lines = [`${plural(students, 'student')}, ${plural(files, 'file')}`]
  if (imported !== undefined) lines.push(`${plural(imported, 'message')} of the primary's taken into the journal`)
  if (takenOver > 0) lines.push(`${plural(takenOver, 'table')} taken over of which the journal has nothing`)
  if (countedMore > 0) {
    lines.push(
      kept
        ? `${plural(countedMore, 'table')} with what the primary has counted more`
        : `${plural(countedMore, 'table')} in which the primary has counted more: --keep-counted would keep it`
    )
  }
  return `${lines.join('\n')}\n`
}
