import { expect, test } from 'vitest'
import type { Log } from '../log.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { confirmedBelow, type Handed, HandedFolders } from './handed.ts'
import { syncPaths } from './paths.ts'
import { SyncState } from './state.ts'

/** A folder of the daily capture that was read up to a position of the journal, and is confirmed. */
function aFolder(before: number, fields: Partial<Handed> = {}): Handed {
  return {
    capture: 'daily',
    folder: `day-${before}`,
    manifestSha256: '',
    proof: '',
    bytes: 1,
    sealedUs: before,
    endUs: before,
    before,
    completeBelow: before,
    attempts: 1,
    confirmedMs: 1,
    ...fields
  }
}

function below(folders: readonly Handed[], firstPosition = 1): number {
  return confirmedBelow(folders, (capture) => capture === 'daily', firstPosition)
}

test('nothing is confirmed behind a folder that is not', () => {
  expect(below([aFolder(100), aFolder(200), aFolder(300)])).toBe(300)
  expect(below([aFolder(100), { ...aFolder(200), fault: 'gone' }, aFolder(300)])).toBe(100)
})

test('also where the clock was set back, and a later folder is sealed at an earlier time', () => {
  const unconfirmed = { ...aFolder(200, { sealedUs: 2000 }), fault: 'gone' } as const
  expect(below([aFolder(100, { sealedUs: 1000 }), aFolder(300, { sealedUs: 1500 }), unconfirmed])).toBe(100)
})

test('a folder removed to make room is no break once the journal begins behind it', () => {
  const { confirmedMs: _, ...rest } = aFolder(200)
  const folders = [aFolder(100), { ...rest, removed: 'room' } as const, aFolder(300)]
  expect(below(folders, 150)).toBe(100)
  expect(below(folders, 200)).toBe(300)
})

test('what a newer release has written of the handing over is kept beside, and said', async () => {
  const simulation = new Simulation(1)
  const { world } = simulation.machine('pi')
  const { files } = world
  const paths = syncPaths({ data: { directory: '/data', disk: undefined }, sync: {} } as never)
  const said: string[] = []
  const log = { error: (_: object, text: string) => void said.push(text) } as unknown as Log
  const folders = await simulation.complete(HandedFolders.read(world, paths, log))
  await simulation.complete(folders.put(aFolder(100)))
  await simulation.complete(folders.put(aFolder(200)))
  const state = await simulation.complete(SyncState.read(world, paths, log))
  await simulation.complete(state.put({ doneMs: 7 }))
  expect(said).toEqual([])
  const [record, newer] = [`${paths.handed}/daily/day-100.json`, '{"format":2,"what":"nobody knows"}']
  for (const path of [record, paths.state]) await simulation.complete(files.writeFile(path, newer))
  const older = await simulation.complete(HandedFolders.read(world, paths, log))
  expect(older.all().map(({ folder }) => folder)).toEqual(['day-200'])
  await simulation.complete(older.put(aFolder(100)))
  const olderState = await simulation.complete(SyncState.read(world, paths, log))
  expect(olderState.current).toEqual({})
  await simulation.complete(olderState.put({ doneMs: 8 }))
  expect(said).toEqual([expect.stringContaining('newer release'), expect.stringContaining('newer release')])
  for (const path of [record, paths.state]) {
    expect((await simulation.complete(files.readFile(`${path}.newer`))).toString()).toBe(newer)
  }
  const again = await simulation.complete(HandedFolders.read(world, paths, log))
  expect(again.all().map(({ folder }) => folder)).toEqual(['day-100', 'day-200'])
  expect((await simulation.complete(SyncState.read(world, paths, log))).current).toEqual({ doneMs: 8 })
  expect(said).toHaveLength(2)
})
