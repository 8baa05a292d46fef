import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import type { Files } from '../world/files.ts'
import { sleep } from '../world/time.ts'
import { aMachine, withFiles } from './fixtures.ts'
import { Head, type HeadState, readHead } from './head.ts'

const path = '/data/head'

function state(nextPosition: number, streams = 12): HeadState {
  const names = Array.from({ length: streams }, (_, index) => `spin${index}`)
  return {
    nextPosition,
    chain: 'ab'.repeat(32),
    boot: '8c5b2f6e-0c11-4e5c-8f25-0f3f3f0d7b1a',
    aliveUs: 1_000_000 * nextPosition,
    running: true,
    firstSeq: 0,
    streams: Object.fromEntries(
      names.map((name) => [name, { seq: nextPosition, wanted: true, heard: true, proofUs: 7 }])
    )
  }
}

async function aHead(seed = 1): Promise<{ files: Files; head: Head; machine: ReturnType<typeof aMachine> }> {
  const machine = aMachine(seed)
  const { files } = machine.world
  await files.makeDirectory('/data')
  return { machine, files, head: await Head.open(files, path) }
}

test('there is none before the first write', async () => {
  const { files } = await aHead()
  expect(await readHead(files, path)).toBe(undefined)
  expect(await readHead(files, '/data/none')).toBe(undefined)
})

test('two writes at once do not mix', async () => {
  const { machine, files } = await aHead()
  let writing = 0
  const { world } = machine
  const { files: watched } = withFiles(world, {
    async open(at, how, mode) {
      const file = await files.open(at, how, mode)
      return {
        read: (buffer, position) => file.read(buffer, position),
        sync: () => file.sync(),
        close: () => file.close(),
        async write(data, position) {
          expect(++writing).toBe(1)
          await sleep(world.timers, 10)
          await file.write(data, position)
          writing--
        }
      }
    }
  })
  const head = await machine.simulation.complete(Head.open(watched, path))
  await machine.simulation.complete(Promise.all([head.write(state(2)), head.write(state(3)), head.sync()]))
  expect(await readHead(files, path)).toEqual(state(3))
})

test('gives what was written last, also after opening again', async () => {
  const { files, head } = await aHead()
  for (const position of [2, 3, 4]) {
    await head.write(state(position))
    expect(await readHead(files, path)).toEqual(state(position))
    await head.sync()
  }
  await head.close()
  const again = await Head.open(files, path)
  expect(await readHead(files, path)).toEqual(state(4))
  await again.write(state(5))
  expect(await readHead(files, path)).toEqual(state(5))
})

test.each([1, 2, 3])('a torn write %d leaves what was synced before', async (synced) => {
  const { files, head } = await aHead()
  for (let position = 1; position <= synced; position++) {
    await head.write(state(position))
    await head.sync()
  }
  const before = await files.readFile(path)
  await head.write(state(9))
  const after = await files.readFile(path)
  const first = after.findIndex((byte, index) => byte !== before[index])
  for (const torn of [first + 1, first + 25, first + 60, first + 500]) {
    await files.writeFile('/data/torn', Buffer.concat([after.subarray(0, torn), before.subarray(torn)]))
    expect((await readHead(files, '/data/torn'))!.nextPosition).toBe(synced)
  }
})

test('grows for many streams, and stays whole until it has grown', async () => {
  const { files, head } = await aHead()
  await head.write(state(1))
  await head.write(state(2, 3000))
  expect(await readHead(files, path)).toEqual(state(2, 3000))
  await head.write(state(3))
  expect(await readHead(files, path)).toEqual(state(3))
  await head.close()
  const again = await Head.open(files, path)
  await again.write(state(4, 3000))
  expect(await readHead(files, path)).toEqual(state(4, 3000))
})

test('one that cannot be made anew takes no room, and is made later', async () => {
  const { machine, files } = await aHead()
  let works = true
  const { files: watched } = withFiles(machine.world, {
    async open(at, how, mode) {
      const file = await files.open(at, how, mode)
      return {
        read: (buffer, position) => file.read(buffer, position),
        write: (data, position) => file.write(data, position),
        sync: () => (works ? file.sync() : Promise.reject(new Error('EIO'))),
        close: () => file.close()
      }
    }
  })
  const head = await Head.open(watched, path)
  works = false
  await head.write(state(2))
  await expect(head.sync()).rejects.toThrow('EIO')
  await expect(head.write(state(3))).rejects.toThrow('EIO')
  expect((await files.list('/data')).map(({ name }) => name)).toEqual(['head'])
  works = true
  await head.write(state(4))
  expect(await readHead(files, path)).toEqual(state(4))
})

test('where there is no room for two, the one there is goes on', async () => {
  const { machine, files } = await aHead()
  let works = true
  let room = true
  const { files: watched } = withFiles(machine.world, {
    async open(at, how, mode) {
      if (how === 'create' && !room) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      const file = await files.open(at, how, mode)
      return {
        read: (buffer, position) => file.read(buffer, position),
        write: (data, position) => (works ? file.write(data, position) : Promise.reject(new Error('EIO'))),
        sync: () => file.sync(),
        close: () => file.close()
      }
    }
  })
  const head = await Head.open(watched, path)
  await head.write(state(2))
  await head.sync()
  room = works = false
  await expect(head.write(state(3))).rejects.toThrow('EIO')
  works = true
  await head.write(state(4))
  await head.sync()
  expect(await readHead(files, path)).toEqual(state(4))
})

test('of whatever size the file is, it can be written', async () => {
  for (const bytes of [0, 1, 43, 1000, 131_071, 131_073, 200_001]) {
    const { files } = await aHead()
    await files.writeFile(path, Buffer.alloc(bytes, 'x'))
    const head = await Head.open(files, path)
    await head.write(state(3))
    expect(await readHead(files, path)).toEqual(state(3))
  }
})

test('a power cut never takes what was synced', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const simulation = new Simulation(seed)
    const machine = simulation.machine('pi')
    const { files } = machine.world
    await files.makeDirectory('/data')
    const head = await Head.open(files, path)
    const { dice } = simulation
    let synced = 0
    let position = 0
    for (let step = dice.int(1, 12); step > 0; step--) {
      await head.write(state(++position, dice.chance(0.1) ? 1000 : 12))
      if (!dice.chance(0.4)) continue
      await head.sync()
      synced = position
    }
    const found = await readHead(machine.boot().files, path)
    expect(found?.nextPosition ?? 0, `seed ${seed}`).toBeGreaterThanOrEqual(synced)
  }
})

test('a write during a sync is on the disk after the next sync', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { head, machine } = await aHead(seed)
    await head.write(state(1))
    machine.disk.pace = { changeUs: [0, 0], syncUs: [1000, 1000] }
    const syncing = head.sync()
    const writing = head.write(state(2))
    await machine.simulation.complete(Promise.all([syncing, writing]))
    await machine.simulation.complete(head.sync())
    const found = await readHead(machine.boot().files, path)
    expect(found?.nextPosition, `seed ${seed}`).toBe(2)
  }
})

test('ten thousand mutated heads: a state that was written, or none', async () => {
  const { files, head } = await aHead()
  await head.write(state(1))
  await head.sync()
  await head.write(state(2))
  const whole = await files.readFile(path)
  const half = whole.length / 2
  const used = 44 + JSON.stringify(state(2)).length
  const place = fc.oneof(
    fc.nat(used),
    fc.nat(used).map((at) => half + at),
    fc.nat(whole.length)
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 3 }), fc.nat(), async (changes, cut) => {
      const mutated = Buffer.from(cut % 4 === 0 ? whole.subarray(0, cut % whole.length) : whole)
      for (const [at, byte] of changes) if (at < mutated.length) mutated[at] = byte
      const found = await readHead({ ...files, info: async () => ({}), readFile: async () => mutated } as never, path)
      expect([undefined, 1, 2]).toContain(found?.nextPosition)
      if (found) expect(found).toEqual(state(found.nextPosition))
    }),
    { numRuns: 10_000 }
  )
})
