import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { readCatalogue } from '../../src/journal/catalogue.ts'
import type { Entry } from '../../src/journal/entry.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import type { JournalReader, VerifyReport } from '../../src/journal/reading.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import type { World } from '../../src/world/world.ts'
import { append, openJournal } from '../support/journals.ts'
import { type Original, readAll, streams } from './original.ts'

/** How long recording may take to go on. */
const AT_ONCE_MS = 5000

/** What was left of a journal in the end. */
export interface Outcome {
  /** Entries of the original that can be read again. */
  readonly kept: ReadonlySet<number>
  readonly lost: readonly number[]
  /** What `verify` said of the damage before anything was repaired. */
  readonly seen: VerifyReport
}

/**
 * Lets a copy of the journal be damaged, records into it, lets it be repaired, opens it again, and checks what holds
 * after any damage: what is given is what was recorded, nothing is used twice, nothing goes missing unsaid.
 */
export async function trial(
  world: World,
  original: Original,
  damage: (directory: string) => Promise<void>,
  check: (directory: string) => Promise<void> = async () => {}
): Promise<Outcome> {
  const directory = await copyOf(original)
  await damage(directory)
  const before = await contents(directory)

  const seen = await expectSeen(world, directory, original)
  expect(await contents(directory), 'verify changes what it reads').toEqual(before)

  const known = new Map(original.entries)
  await session(world, directory, original, known)
  await session(world, directory, original, known)

  const journal = await openJournal(world, directory)
  try {
    const left = await readAll(journal)
    expectRight(left, known, original)
    await expectInRange(journal, left)
    const lost = [...known.keys()].filter((position) => !left.has(position))
    expectNamed(lost, await journal.verify())
    expect(lost.filter((position) => position >= original.nextPosition)).toEqual([])
    await expectCovered(
      journal,
      lost.map((position) => known.get(position)!)
    )
    await expectAside(world, directory, before)
    await check(directory)
    return { kept: new Set([...original.entries.keys()].filter((position) => left.has(position))), lost, seen }
  } finally {
    await journal.close()
  }
}

/** A copy to be spoilt, in the place of the last one. */
export async function copyOf(original: Original): Promise<string> {
  const directory = `${original.directory}.trial`
  await rm(directory, { recursive: true, force: true })
  await cp(original.directory, directory, { recursive: true })
  return directory
}

/** What cannot be read is named by a `verify` that comes before any repair. */
async function expectSeen(world: World, directory: string, original: Original): Promise<VerifyReport> {
  const snapshot = await openSnapshot(world, directory)
  try {
    const found = await readAll(snapshot)
    expectRight(found, original.entries, original)
    const lost = [...original.entries.keys()].filter((position) => !found.has(position))
    const report = await snapshot.verify()
    expectNamed(lost, report)
    return report
  } finally {
    await snapshot.close()
  }
}

/** Opens it, records some more, reads everything, waits for repairs, reads everything again, and closes. */
async function session(world: World, directory: string, original: Original, known: Map<number, Entry>): Promise<void> {
  const started = performance.now()
  const journal = await openJournal(world, directory)
  try {
    for (let number = 1; number <= 20; number++) {
      const frame = append(journal, streams[number % streams.length]!, number)
      expect(known.has(frame.position), `position ${frame.position} is used again`).toBe(false)
      expect(frame.position).toBeGreaterThanOrEqual(original.nextPosition)
      expect(frame.seq).toBeGreaterThan(original.lastSeqs.get(frame.stream)!)
      known.set(frame.position, frame)
    }
    await journal.commit()
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS)
    expectRight(await readAll(journal), known, original)
    await journal.repaired()
    expectRight(await readAll(journal), known, original)
  } finally {
    await journal.close()
  }
}

function expectRight(found: ReadonlyMap<number, Entry>, known: ReadonlyMap<number, Entry>, original: Original): void {
  for (const [position, entry] of found) {
    const recorded = known.get(position)
    // Events that the journal notes by itself are not known beforehand.
    if (!recorded && entry.kind === 'event' && position >= original.nextPosition) continue
    expect(essence(entry), `position ${position}`).toEqual(recorded && essence(recorded))
  }
}

function essence(entry: Entry): unknown {
  const { position, wallUs, monoUs, boot, payload } = entry
  const frame = entry.kind === 'frame' && { stream: entry.stream, seq: entry.seq, binary: entry.binary }
  return { position, wallUs, monoUs, boot, payload: payload.toString('latin1'), frame }
}

/** A range gives what the cursor gave. */
async function expectInRange(journal: JournalReader, left: ReadonlyMap<number, Entry>): Promise<void> {
  const frames = [...left.values()].filter(({ kind }) => kind === 'frame')
  const found: Entry[] = []
  for await (const some of journal.range({})) found.push(...some)
  expect(found.map(essence)).toEqual(frames.map(essence))
}

/** Coverage adds up, and nothing is said to be heard when something came that is lost. */
async function expectCovered(journal: JournalReader, lost: readonly Entry[]): Promise<void> {
  for (const { stream, fromUs, toUs, heardUs, rest } of await journal.coverage()) {
    const sum = rest.reduce((all, part) => all + part.toUs - part.fromUs, heardUs)
    expect(sum, `coverage of ${stream}`).toBe(toUs - fromUs)
    for (const entry of lost) {
      if (entry.kind !== 'frame' || entry.stream !== stream || entry.wallUs < fromUs) continue
      const told = rest.some((part) => part.fromUs <= entry.wallUs && entry.wallUs <= part.toUs)
      expect(told, `${entry.position} is lost, and its time is said to be heard`).toBe(true)
    }
  }
}

/** Every entry that is missing lies in a place that `verify` names. */
function expectNamed(lost: readonly number[], { problems }: VerifyReport): void {
  const unnamed = lost.filter(
    (position) =>
      !problems.some(({ kind, fromPosition = 0, toPosition = Number.MAX_SAFE_INTEGER }) =>
        kind === 'missing' || kind === 'damaged' ? fromPosition <= position && position <= toPosition : false
      )
  )
  expect(unnamed, 'missing, and not named by verify').toEqual([])
}

/** Of LevelDB's and of ours, what says nothing of what was recorded and is made anew at each opening. */
const NOTES = /\/(LOCK|LOG(\.old)?|PROVED)$/

/** Nothing that a store set aside had held is gone. */
async function expectAside(world: World, directory: string, before: Map<string, string>): Promise<void> {
  const paths = journalPaths(directory)
  const catalogue = await readCatalogue(world.files, paths.catalogue)
  for (const { number, damaged } of catalogue!.stores) {
    if (!damaged) continue
    const folder = paths.store(number).slice(directory.length + 1)
    for (const [path, digest] of before) {
      if (!path.startsWith(`${folder}/`) || NOTES.test(path)) continue
      const kept = await readFile(`${paths.aside}/${damaged.aside}/${path.slice(folder.length + 1)}`)
      expect(digestOf(kept), path).toBe(digest)
    }
  }
}

/** A digest of each file, by its path. */
export async function contents(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = `${entry.parentPath}/${entry.name}`
    found.set(path.slice(directory.length + 1), digestOf(await readFile(path)))
  }
  return found
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
