import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import { aMachine, directory, openJournal, texts, told } from './fixtures.ts'
import { openSnapshot } from './snapshot.ts'

/** Every file under a folder with the hash of its content. */
async function contents(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`)
  const lines = files.map(
    async (file) =>
      `${file} ${createHash('sha256')
        .update(await readFile(file))
        .digest('hex')}`
  )
  return (await Promise.all(lines)).sort()
}

test('without a journal there is none to open, and nothing is made', async () => {
  const { world } = aMachine()
  await world.files.makeDirectory(directory)
  await expect(openSnapshot(world, directory)).rejects.toMatchObject({ code: 'UNDERSTUDY_NO_JOURNAL' })
  expect(await world.files.list(directory)).toEqual([])
})

test('reads what a killed one has left', async () => {
  const machine = aMachine()
  const journal = await openJournal(machine.world, { storeBytes: 1 })
  for (const text of ['a', 'b', 'c']) {
    journal.append(told('spin30', text))
    await journal.commit()
  }
  journal.append(told('spin30', 'never committed'))
  machine.kill()
  const snapshot = await openSnapshot(machine.start(), directory)
  expect(await texts(snapshot.range({}))).toEqual(['a', 'b', 'c'])
  expect((await snapshot.verify()).problems).toEqual([])
  expect(snapshot.nextPosition).toBe(journal.nextPosition)
  expect(await snapshot.streams()).toEqual(['spin30'])
  expect(await snapshot.cursor({ position: snapshot.nextPosition }).next()).toEqual([])
  await snapshot.close()
})

test('real LevelDB and files: what is opened stays as it is, to the byte, and nothing is left behind', async () => {
  const world = await realWorld()
  const folder = `${await temporaryDirectory()}/data`
  const journal = await openJournal(world, { directory: folder, storeBytes: 20_000 })
  for (let number = 0; number < 40; number++) {
    const payload = Buffer.concat([world.random.bytes(2000), Buffer.of(number)])
    journal.append({ stream: 'spin30', payload, binary: true, origin: 'relay' })
    await journal.commit()
  }
  await journal.close()
  const before = await contents(folder)
  for (let time = 0; time < 2; time++) {
    const snapshot = await openSnapshot(world, folder)
    const report = await snapshot.verify()
    expect(report).toMatchObject({ problems: [], frames: 40 })
    expect(report.stores).toBeGreaterThan(2)
    await snapshot.coverage()
    await snapshot.close()
    expect(await contents(folder)).toEqual(before)
  }
})

test('several at once do not disturb each other, nor a running one', async () => {
  const world = await realWorld()
  const folder = `${await temporaryDirectory()}/data`
  const journal = await openJournal(world, { directory: folder })
  onTestFinished(() => journal.close())
  journal.append(told('spin30', 'a'))
  await journal.commit()
  const snapshots = await Promise.all([openSnapshot(world, folder), openSnapshot(world, folder)])
  journal.append(told('spin30', 'b'))
  await journal.commit()
  for (const snapshot of snapshots) {
    expect(await texts(snapshot.range({}))).toEqual(['a'])
    await snapshot.close()
  }
  expect(await texts(journal.range({}))).toEqual(['a', 'b'])
})

test('a copy that a killed command has left is removed at a start, a day later', async () => {
  const simulation = new Simulation(1)
  const machine = simulation.machine('pi')
  const { files } = machine.world
  await (await openJournal(machine.world)).close()
  await openSnapshot(machine.world, directory)
  const copies = async (): Promise<number> =>
    (await files.list(directory)).filter(({ name }) => name.startsWith('snapshot-')).length
  await (await openJournal(machine.world)).close()
  expect(await copies()).toBe(1)
  await simulation.run(2 * 86_400_000)
  await (await openJournal(machine.world)).close()
  expect(await copies()).toBe(0)
})
