import { expect, test } from 'vitest'
import type { Files } from '../world/files.ts'
import type { Removal } from './catalogue.ts'
import { aMachine, directory } from './fixtures.ts'
import { clearRemoved, clearSnapshots } from './leftovers.ts'
import { journalPaths } from './paths.ts'

const paths = journalPaths(directory)
const removal = { event: 'removed', what: 'store', store: 7 } as Removal

async function withMerging(): Promise<{ files: Files; copy: string }> {
  const { world } = aMachine()
  const copy = `${paths.store(7)}.merging`
  for (const folder of [paths.store(7), copy]) await world.files.makeDirectory(folder, 0o750)
  return { files: world.files, copy }
}

/** As `rm -r` fares of a folder in which somebody makes a file at the same moment. */
function failing(files: Files, at: string, code: string): Files {
  const remove = async (path: string): Promise<void> => {
    if (path === at) throw Object.assign(new Error(code), { code })
    await files.remove(path)
  }
  return new Proxy(files, { get: (own, name) => (name === 'remove' ? remove : Reflect.get(own, name).bind(own)) })
}

test('with a store goes what was being made of it', async () => {
  const { files, copy } = await withMerging()
  await clearRemoved(files, paths, removal)
  expect(await files.info(paths.store(7))).toBe(undefined)
  expect(await files.info(copy)).toBe(undefined)
})

test('a copy that is being written does not keep the store from going', async () => {
  const { files, copy } = await withMerging()
  await clearRemoved(failing(files, copy, 'ENOTEMPTY'), paths, removal)
  expect(await files.info(paths.store(7))).toBe(undefined)
})

test('any other failure is told', async () => {
  const { files, copy } = await withMerging()
  await expect(clearRemoved(failing(files, copy, 'EIO'), paths, removal)).rejects.toThrow('EIO')
})

test.each([
  ['EACCES', true],
  ['EIO', false]
])('a copy that a command has left for days, and that cannot be removed: %s', async (code, goesOn) => {
  const machine = aMachine()
  const { world } = machine
  const [stale, old] = [`${directory}/snapshot-aa`, `${directory}/snapshot-bb`]
  for (const folder of [stale, old]) await world.files.makeDirectory(folder, 0o750)
  await machine.simulation.run(2 * 86_400_000)
  const cleared = clearSnapshots({ ...world, files: failing(world.files, stale, code) }, directory)
  if (!goesOn) return expect(cleared).rejects.toThrow(code)
  await cleared
  expect((await world.files.list(directory)).map(({ name }) => name)).toEqual(['snapshot-aa'])
})
