import { expect, test } from 'vitest'
import { UnderstudyError } from '../errors.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { systemError } from '../sim/world/system-error.ts'
import type { World } from '../world/world.ts'
import { aMachine, directory, silent } from './fixtures.ts'
import { journalPaths } from './paths.ts'
import { ReaderStates } from './reader-states.ts'

async function opened(machine = aMachine()) {
  await machine.world.files.makeDirectory(directory)
  return { machine, states: await ReaderStates.open(machine.world, directory, silent) }
}

test('a reader that has not begun has no place', async () => {
  const { states } = await opened()
  expect(await states.place('graphs')).toBe(undefined)
  expect(await states.get('graphs', 'x')).toBe(undefined)
})

test('place and what was written come back together, after opening again', async () => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [
    ['a', Buffer.from('1')],
    ['b', Buffer.alloc(0)]
  ])
  await states.commit('graphs', { position: 9 }, [['a', undefined]])
  await states.close()
  const again = (await opened(machine)).states
  expect(await again.place('graphs')).toEqual({ position: 9 })
  expect(await again.get('graphs', 'a')).toBe(undefined)
  expect(await again.get('graphs', 'b')).toEqual(Buffer.alloc(0))
})

test('what a cut left of a table that was being written is no damage', async () => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  await machine.world.files.writeFile(`${journalPaths(directory).readers}/000999.ldb`, 'a part')
  expect((await opened(machine)).states.place('graphs')).toEqual({ position: 7 })
})

test('readers and keys are apart', async () => {
  const { states } = await opened()
  await states.commit('a', { position: 1 }, [['c', Buffer.from('x')]])
  await states.commit('as', { position: 2 }, [['', Buffer.from('y')]])
  expect(await states.place('a')).toEqual({ position: 1 })
  expect(await states.place('as')).toEqual({ position: 2 })
  expect(await states.get('a', '')).toBe(undefined)
  expect(await states.get('a', 'c')).toEqual(Buffer.from('x'))
})

test('a second process is told that one is running', async () => {
  const { machine } = await opened()
  await expect(ReaderStates.open(machine.start(), directory, silent)).rejects.toMatchObject({
    code: 'UNDERSTUDY_ALREADY_RUNNING'
  })
})

test('each entry counts exactly once through power cuts', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const simulation = new Simulation(seed)
    const machine = simulation.machine('pi')
    let acknowledged = 0
    for (let life = 0; life < 5; life++) {
      const { states } = await opened(machine)
      let position = (await states.place('sum'))?.position ?? 0
      let sum = Number((await states.get('sum', 'total')) ?? 0)
      expect(position, `seed ${seed}`).toBeGreaterThanOrEqual(acknowledged)
      expect(sum, `seed ${seed}`).toBe((position * (position + 1)) / 2)
      for (let step = simulation.dice.int(0, 5); step > 0; step--) {
        sum += ++position
        await states.commit('sum', { position }, [['total', Buffer.from(String(sum))]])
        acknowledged = position
      }
      machine.disk.pace = { changeUs: [0, 0], syncUs: [1000, 1000] }
      void states.commit('sum', { position: position + 1 }, [['total', Buffer.from(String(sum + position + 1))]])
      machine.disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
      machine.boot()
    }
  }
})

test('on a disk that takes no more, readers keep their places, and go on when it does again', async () => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [['a', Buffer.from('1')]])
  machine.disk.readOnly = true
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(states.commit('graphs', { position: 9 }, [])).rejects.toThrow()
    expect(states.all()).toMatchObject([{ reader: 'graphs', position: 7 }])
  }
  await expect(states.get('graphs', 'a')).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE' })
  machine.disk.readOnly = false
  expect(await states.get('graphs', 'a')).toEqual(Buffer.from('1'))
  await Promise.all([states.commit('graphs', { position: 9 }, []), states.commit('other', { position: 8 }, [])])
  await states.close()
  expect((await opened(machine)).states.all()).toMatchObject([
    { reader: 'graphs', position: 9 },
    { reader: 'other', position: 8 }
  ])
})

test('after the end it is not opened again', async () => {
  const { machine, states } = await opened()
  await states.close()
  await expect(states.commit('graphs', { position: 9 }, [])).rejects.toMatchObject({
    code: 'UNDERSTUDY_JOURNAL_CLOSED'
  })
  await opened(machine)
})

test('what a reader keeps is found by how its keys begin', async () => {
  const { states } = await opened()
  const value = Buffer.from('x')
  const keys = ['folder/a/1', 'folder/a/2', 'folder/b/1', 'state'].map((key) => [key, value] as const)
  await states.commit('captures', { position: 1 }, keys)
  await states.commit('capturesx', { position: 1 }, [['folder/a/3', value]])
  const found = async (prefix: string) => (await states.entries('captures', prefix)).map(([key]) => key)
  expect(await found('folder/a/')).toEqual(['folder/a/1', 'folder/a/2'])
  expect(await found('')).toEqual(['folder/a/1', 'folder/a/2', 'folder/b/1', 'state'])
  expect(await found('x')).toEqual([])
})

test('a store that has lost its CURRENT is set aside, not emptied', async () => {
  const { world } = aMachine()
  const states = await ReaderStates.open(world, directory, silent)
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  const { readers, aside } = journalPaths(directory)
  const before = (await world.files.list(readers)).map(({ name }) => name).filter((name) => /ldb|log/.test(name))
  await world.files.remove(`${readers}/CURRENT`)
  const again = await ReaderStates.open(world, directory, silent)
  expect(again.place('graphs')).toBeUndefined()
  const [kept] = await world.files.list(aside)
  const names = (await world.files.list(`${aside}/${kept!.name}`)).map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(before))
  await again.close()
})

/** A machine whose LevelDB cannot open anything. */
function refusing(machine: ReturnType<typeof aMachine>, cause: Error): World {
  const { world } = machine
  const open = async (path: string): Promise<never> => {
    throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', path, { cause })
  }
  const { stores } = world
  return { ...world, stores: Object.assign(Object.create(stores), { open, damagedTables: async () => [] }) }
}

test.each([
  ['EIO', systemError('EIO', 'open')],
  ['EACCES', systemError('EACCES', 'access')],
  ["LevelDB's word for it", Object.assign(new Error('IO error: LOCK: Permission denied'), { code: 'LEVEL_IO_ERROR' })],
  ['too many open files', Object.assign(new Error('IO error: Too many open files'), { code: 'LEVEL_IO_ERROR' })]
])('what cannot be opened for now is left as it is: %s', async (_, cause) => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  await expect(ReaderStates.open(refusing(machine, cause), directory, silent)).rejects.toMatchObject({
    code: 'UNDERSTUDY_STORE_UNREADABLE',
    cause
  })
  expect(await machine.world.files.info(journalPaths(directory).aside)).toBeUndefined()
  expect((await opened(machine)).states.place('graphs')).toEqual({ position: 7 })
})

test.each([
  ['what LevelDB calls corruption', 'LEVEL_CORRUPTION', 'Corruption: bad record length'],
  ['what has lost a file', 'LEVEL_IO_ERROR', 'IO error: MANIFEST-000004: No such file or directory']
])('%s is set aside', async (_, code, message) => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  const cause = Object.assign(new Error(message), { code })
  const world = refusing(machine, cause)
  await expect(ReaderStates.open(world, directory, silent)).rejects.toMatchObject({ cause })
  expect(await machine.world.files.list(journalPaths(directory).aside)).toHaveLength(1)
  expect((await opened(machine)).states.place('graphs')).toBeUndefined()
})

test.each([
  ['its format is no JSON', '\0format', '{'],
  ['its format is no number', '\0format', '"one"'],
  ['a place is no JSON', 'graphs\0c', '{'],
  ['a place is none', 'graphs\0c', '{}']
])('a store is set aside where %s', async (_, key, value) => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  const store = await machine.world.stores.open(journalPaths(directory).readers, { create: false })
  await store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.from(value) }], { sync: true })
  await store.close()
  const again = (await opened(machine)).states
  expect(again.all()).toEqual([])
  await again.commit('graphs', { position: 3 }, [])
  await again.close()
  expect(await machine.world.files.list(journalPaths(directory).aside)).toHaveLength(1)
  expect((await opened(machine)).states.place('graphs')).toEqual({ position: 3 })
})

test('a store of a newer release is kept aside as it was, and another begun', async () => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [['a', Buffer.from('1')]])
  await states.close()
  const { files, stores } = machine.world
  const { readers, aside } = journalPaths(directory)
  const store = await stores.open(readers, { create: false })
  await store.batch([{ type: 'put', key: Buffer.from('\0format'), value: Buffer.from('2') }], { sync: true })
  await store.close()
  const older = (await opened(machine)).states
  expect(older.place('graphs')).toBe(undefined)
  expect(older.all()).toEqual([])
  await older.commit('graphs', { position: 3 }, [])
  await older.close()
  const [kept] = await files.list(aside)
  expect(kept?.name).toMatch(/^\d{4}-\d\d-\d\d-readers$/)
  // Put back, it is the newer release's as it left it.
  await files.remove(readers)
  await files.rename(`${aside}/${kept!.name}`, readers)
  const newer = await stores.open(readers, { create: false })
  expect(String(await newer.get(Buffer.from('graphs\0sa')))).toBe('1')
  await newer.close()
})

test('one without a format is of the first', async () => {
  const { machine, states } = await opened()
  await states.commit('graphs', { position: 7 }, [])
  await states.close()
  const store = await machine.world.stores.open(journalPaths(directory).readers, { create: false })
  expect(String(await store.get(Buffer.from('\0format')))).toBe('1')
  await store.batch([{ type: 'del', key: Buffer.from('\0format') }], { sync: true })
  await store.close()
  expect((await opened(machine)).states.place('graphs')).toEqual({ position: 7 })
})
