import { hash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { journalPaths } from '../../src/journal/paths.ts'
import { append, openJournal } from '../support/journals.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { empty, flip, remove, shorten, targets, zero } from './damages.ts'
import { readAll } from './original.ts'
import { setUp } from './setup.ts'
import { contents, copyOf, trial } from './trial.ts'

const shared = setUp()

const ways = { missing: remove, empty, flipped: flip, truncated: shorten, zeroed: zero }
const damages = Object.entries(ways).flatMap(([how, apply]) =>
  (['catalogue', 'head', 'both'] as const).map((what) => ({ how, what, apply }))
)

test.each(damages)('$what $how: nothing is lost', async ({ what, apply }) => {
  const { world, originals } = shared
  await rounds(repeats(20), async (dice, round) => {
    const { lost } = await trial(world, originals[round % originals.length]!, async (directory) => {
      const { catalogue, head } = journalPaths(directory)
      if (what !== 'head') await apply(catalogue, dice)
      if (what !== 'catalogue') await apply(head, dice)
    })
    expect(lost).toEqual([])
  })
})

test.each([/^CURRENT$/, /^MANIFEST/, /\.log$/, /\.ldb$/])("the readers' store damaged: %s", async (file) => {
  const { world, originals } = shared
  const all = Object.entries(ways)
  await rounds(repeats(20), async (dice, round) => {
    const [how, apply] = all[round % all.length]!
    const { lost } = await trial(world, originals[round % originals.length]!, async (directory) => {
      for (const path of await targets(journalPaths(directory).readers, { title: how, file, apply })) {
        await apply(path, dice)
      }
    })
    expect(lost, how).toEqual([])
  })
})

test('a damaged catalogue is kept', async () => {
  const damaged = Buffer.from('not a catalogue')
  await trial(
    shared.world,
    shared.originals[0]!,
    (directory) => writeFile(journalPaths(directory).catalogue, damaged),
    async (directory) => {
      const { aside } = journalPaths(directory)
      const name = (await readdir(aside)).find((found) => found.endsWith('-catalogue'))
      expect(await readFile(`${aside}/${name}`)).toEqual(damaged)
    }
  )
})

test('a newest store of a newer release is left as it is', async () => {
  const { world } = shared
  const original = shared.originals[0]!
  const newest = original.stores.at(-1)!
  let before = new Map<string, string>()
  const { lost } = await trial(
    world,
    original,
    async (directory) => {
      const path = journalPaths(directory).store(newest.number)
      const store = await world.stores.open(path, { create: false })
      const key = Buffer.from('m\0\0\0\0\0\0\0\0')
      const identity = JSON.parse((await store.get(key))!.toString())
      await store.batch([{ type: 'put', key, value: Buffer.from(JSON.stringify({ ...identity, format: 2 })) }], {
        sync: true
      })
      await store.close()
      before = await contents(path)
    },
    async (directory) => expect(await contents(journalPaths(directory).store(newest.number))).toEqual(before)
  )
  expect(lost.every((position) => position >= newest.firstPosition)).toBe(true)
})

test('a catalogue of a newer release is kept with its stores, and recording goes on above them', async () => {
  const { world } = shared
  const original = shared.originals[0]!
  const directory = await copyOf(original)
  const paths = journalPaths(directory)
  const position = original.nextPosition + 1234
  const json = '{"all":"is different"}'
  const digest = hash('sha256', `2 ${position}\n${json}`)
  const newer = `understudy-catalogue 2 ${position} ${digest}\n${json}\n`
  await writeFile(paths.catalogue, newer)
  const before = await contents(paths.stores)
  for (let session = 0; session < 2; session++) {
    const journal = await openJournal(world, directory)
    const { position: given, seq } = append(journal, 'spin30', 1)
    expect(given).toBeGreaterThan(position)
    expect(seq).toBeGreaterThan(original.lastSeqs.get('spin30')!)
    expect(journal.firstPosition).toBeGreaterThanOrEqual(position)
    await journal.close()
  }
  const after = await contents(paths.stores)
  for (const [path, kept] of before) expect(after.get(path), path).toBe(kept)
  const name = (await readdir(paths.aside)).find((found) => found.endsWith('-catalogue'))
  expect(await readFile(`${paths.aside}/${name}`, 'utf8')).toBe(newer)
})

test('a newest store that something else holds locked is left, and nothing is lost', async () => {
  const { world, originals } = shared
  for (const original of originals) {
    const directory = await copyOf(original)
    const { number } = original.stores.at(-1)!
    const holder = await world.stores.open(journalPaths(directory).store(number), { create: false })
    const journal = await openJournal(world, directory)
    expect(append(journal, 'spin30', 1).position).toBeGreaterThanOrEqual(original.nextPosition)
    await journal.commit()
    await readAll(journal)
    await journal.repaired()
    await journal.close()
    await holder.close()
    const again = await openJournal(world, directory)
    const found = await readAll(again)
    expect([...original.entries.keys()].filter((position) => !found.has(position))).toEqual([])
    expect((await again.verify()).problems).toEqual([])
    await again.close()
  }
})
