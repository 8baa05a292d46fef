import { Zone } from '../../captures/zone.ts'
import { isTimeZone, timeZoneForm } from '../../config/time-zone.ts'
import { type Reconciliation, reconcile } from '../../sync/reconcile.ts'
import type { PrimaryFolder } from '../../sync/reconcile-folder.ts'
import { type ImportMissingReport, importCapture, importMissing } from '../../sync/reconcile-import.ts'
import { type Command, dataOptions, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { withReader } from '../local/open.ts'
import { ownImportTargets } from '../local/own-targets.ts'
import { primaryOptions, withPrimaryFolder } from '../primary-folder.ts'
import { Progress } from '../progress.ts'
import { table } from '../table.ts'
import type { Call, Options } from '../terminal.ts'
import { countText, plural } from '../text.ts'

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'compares what the primary has with what was recorded',
  operandCount: { min: 0, max: 0 },
  description: [
    "Prints for each stream and day (in the site's time zone, by the messages' own time) how many messages both have, only the primary, and only the Pi. Only what the primary keeps can be compared. Its raw logs hold commands (type analytics): they are compared by their parsed value, each as often as it occurs, and by their order. What it has counted and deleted is under COUNTED; there each student's matrix is compared, cell by cell, with the one counted from the journal, and so is what students said in feedback. NOT COMPARABLE are lines that are no message, and commands that do not say whose or of what they are, which the primary drops.",
    'Files of one stream (spin30.jsonl, spin30.txt), as connect.sh made them, are compared too: all messages, over the time they cover.',
    'DIR is the DATA_PATH of the primary, a copy of it, or user@host:DIR, which is fetched with rsync over ssh, as whoever calls this may log in there. Nothing is written to it.',
    'With --import, what only the primary has is taken into the journal, marked as imported. Run again, it finds it there. A second copy of a message that the journal has is not taken: nobody gives one command twice in the same millisecond. Imported commands are counted in order of their time.'
  ],
  options: {
    ...dataOptions,
    ...primaryOptions,
    primary: { value: 'DIR', help: 'What the primary has: a folder, or user@host:DIR.' },
    import: { help: 'Take into the journal what only the primary has.' },
    'time-zone': { value: 'ZONE', help: "Whose calendar the days are of, like Europe/London; default: the site's." },
    json: { help: 'Print everything as JSON, with the ids of students whose tables or raw logs differ.' }
  },
  exits: { 1: 'They differ.', 3: 'Another import is being made.' },
  examples: [
    ['reconcile --primary /mnt/primary/data', 'What differs, as a table.'],
    ['reconcile --primary lab@primary.example:/srv/data --import', 'Fetch it, and take what the Pi has missed.']
  ],
  async run(call) {
    const { options, terminal } = call
    const place = options.text('primary') ?? usage('reconcile needs --primary')
    const { data, timeZone } = await configOf(call)
    const zone = new Zone(zoneNamed(options) ?? timeZone)
    const bar = new Progress(terminal, 'comparing')
    const found = await withPrimaryFolder(call, place, data.directory, (folder) =>
      options.has('import')
        ? compareAndImport(call, folder, zone, bar)
        : compare(call, folder, data.directory, zone, bar)
    ).finally(() => bar.end())
    const { fingerprints: _, ...report } = found
    await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    return differs(report) ? 1 : 0
  }
}

function zoneNamed(options: Options): string | undefined {
  const name = options.text('time-zone')
  return name === undefined || isTimeZone(name) ? name : usage(`--time-zone expects ${timeZoneForm}`)
}

type Found = Awaited<ReturnType<typeof reconcile>> & { readonly imported?: ImportMissingReport }

function compare(
  { world }: Call,
  folder: PrimaryFolder,
  dataDirectory: string,
  zone: Zone,
  bar: Progress
): Promise<Found> {
  return withReader(world, dataDirectory, (reader) => {
    const { firstPosition, nextPosition } = reader
    const progress = (at: number): void => bar.update((at - firstPosition) / (nextPosition - firstPosition))
    return reconcile(folder, reader, { zone, progress })
  })
}

async function compareAndImport(call: Call, folder: PrimaryFolder, zone: Zone, bar: Progress): Promise<Found> {
  const targets = await ownImportTargets(call)
  try {
    const target = await targets.next()
    const { firstPosition, nextPosition } = target
    const progress = (at: number): void => bar.update((at - firstPosition) / (nextPosition - firstPosition))
    const found = await reconcile(folder, target, { zone, progress })
    const report = await importMissing(folder, found.fingerprints, target)
    let { imported } = report
    for (const capture of folder.captures) imported += await importCapture(folder, capture, await targets.next())
    return { ...found, imported: { ...report, imported } }
  } finally {
    await targets.close()
  }
}

function differs({ days, differences, unreadableTables, reordered }: Reconciliation): boolean {
  return (
    differences.length + unreadableTables + reordered.length > 0 || days.some((row) => row.onlyPrimary + row.onlyPi > 0)
  )
}

function reportText(found: Omit<Found, 'fingerprints'>): string {
  const { days, tables, unreadableTables, differences, reordered, imported } = found
  const rows = days.map(({ stream, day, both, onlyPrimary, onlyPi, counted, notComparable }) => [
    stream,
    day,
    ...[both, onlyPrimary, onlyPi, counted, notComparable].map(countText)
  ])
  const cells = differences.reduce((sum, one) => sum + one.cells.length, 0)
  const lines = [
    `${plural(tables, 'table')} compared, ${countText(differences.length)} differ in ${plural(cells, 'cell')}`
  ]
  if (reordered.length > 0) lines.push(`${plural(reordered.length, 'raw log')} in another order than the Pi's`)
  if (unreadableTables > 0) lines.push(`${plural(unreadableTables, 'table')} cannot be read`)
  if (imported) {
    lines.push(
      `${plural(imported.imported, 'message')} taken into the journal, ${countText(imported.copies)} copies and ${countText(imported.refused)} of no stream left`
    )
  }
  const titles = ['STREAM', 'DAY', '>BOTH', '>ONLY PRIMARY', '>ONLY PI', '>COUNTED', '>NOT COMPARABLE']
  return `${table(titles, rows)}\n${lines.join('\n')}\n`
}
