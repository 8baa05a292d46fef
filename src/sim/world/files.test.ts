import { expect, test } from 'vitest'
import { writeDurably } from '../../world/files.ts'
import type { Machine } from './machine.ts'
import { Simulation } from './simulation.ts'

const machine = (seed = 1): Machine => new Simulation(seed).machine('pi')
const seeds = Array.from({ length: 60 }, (_, seed) => seed)

test('files and folders behave as Node has them', async () => {
  const { files } = machine().world
  await files.makeDirectory('/data/a/b')
  await files.makeDirectory('/data/a/b')
  await files.writeFile('/data/a/f', 'hello', 0o600)
  const file = await files.open('/data/a/f', 'edit')
  await file.write(Buffer.from('J'), 0)
  await file.write(Buffer.from('!'), 7)
  const into = Buffer.alloc(20)
  expect(await file.read(into, 4)).toBe(4)
  await file.close()
  expect((await files.readFile('/data/a/f')).toString()).toBe('Jello\0\0!')
  const added = await files.open('/data/a/f', 'append')
  await added.write(Buffer.from('+'), 0)
  await added.close()
  await files.link('/data/a/f', '/data/g')
  await files.rename('/data/a/f', '/data/a/h')
  expect(await files.info('/data/g')).toMatchObject({ kind: 'file', sizeBytes: 9, mode: 0o600 })
  expect((await files.info('/data/g'))?.inode).toBe((await files.info('/data/a/h'))?.inode)
  expect(await files.list('/data')).toEqual([
    { name: 'a', kind: 'directory' },
    { name: 'g', kind: 'file' }
  ])
  await files.remove('/data/a')
  await files.remove('/data/a')
  expect(await files.info('/data/a/h')).toBeUndefined()
  expect((await files.readFile('/data/g')).length).toBe(9)
})

test("errors have Node's codes", async () => {
  const pi = machine()
  pi.mount('/usb')
  const { files } = pi.world
  await files.makeDirectory('/d/e')
  await files.writeFile('/f', '')
  const fails = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code })
  await fails(files.readFile('/none'), 'ENOENT')
  await fails(files.open('/none', 'edit'), 'ENOENT')
  await fails(files.open('/none/f', 'create'), 'ENOENT')
  await fails(files.open('/d', 'create'), 'EISDIR')
  await fails(files.readFile('/d'), 'EISDIR')
  await fails(files.list('/f'), 'ENOTDIR')
  await fails(files.list('/none'), 'ENOENT')
  await fails(files.makeDirectory('/f'), 'EEXIST')
  await fails(files.rename('/none', '/x'), 'ENOENT')
  await fails(files.rename('/f', '/d'), 'EISDIR')
  await fails(files.rename('/d', '/d/e/x'), 'EINVAL')
  await fails(files.rename('/f', '/usb/f'), 'EXDEV')
  await fails(files.link('/f', '/d'), 'EEXIST')
  await fails(files.link('/d', '/x'), 'EPERM')
  await fails(files.syncDirectory('/none'), 'ENOENT')
  const file = await files.open('/f', 'read')
  await fails(file.write(Buffer.from('x'), 0), 'EBADF')
  await file.close()
  await fails(file.close(), 'EBADF')
})

test('a cut keeps what was synced; of the rest sectors are kept, lost or torn apart', async () => {
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const pi = machine(seed)
    const file = await pi.world.files.open('/f', 'create')
    await file.write(Buffer.alloc(1024, 'a'), 0)
    await file.sync()
    await file.write(Buffer.alloc(1024, 'b'), 512)
    await file.write(Buffer.alloc(512, 'c'), 512)
    const content = await pi.boot().files.readFile('/f')
    expect(content.subarray(0, 512).equals(Buffer.alloc(512, 'a'))).toBe(true)
    expect(content.length % 512).toBe(0)
    const sectors = Array.from({ length: content.length / 512 }, (_, n) => {
      const sector = content.subarray(n * 512, (n + 1) * 512)
      expect(sector.equals(Buffer.alloc(512, sector[0]))).toBe(true)
      return String.fromCharCode(sector[0]!)
    })
    outcomes.add(sectors.join(''))
  }
  expect(outcomes).toContain('aa')
  expect(outcomes).toContain('acb')
  expect([...outcomes].some((outcome) => /^a[ab]b$/.test(outcome))).toBe(true)
  expect(outcomes.size).toBeGreaterThan(3)
})

test('a cut in the middle of a sync loses nothing synced before', async () => {
  for (const seed of seeds) {
    const simulation = new Simulation(seed)
    const pi = simulation.machine('pi')
    const file = await pi.world.files.open('/f', 'create')
    await file.write(Buffer.alloc(2000, 'a'), 0)
    await file.sync()
    pi.disk.pace = { changeUs: [0, 0], syncUs: [1000, 1000] }
    await file.write(Buffer.alloc(100, 'b'), 1950)
    void file.sync()
    await simulation.run(0.5)
    const content = await pi.boot().files.readFile('/f')
    expect(content.subarray(0, 1950).equals(Buffer.alloc(1950, 'a'))).toBe(true)
    expect(content.length).toBeGreaterThanOrEqual(2000)
  }
})

test('a new name may be lost until its folder is synced', async () => {
  const found = { synced: 0, unsynced: 0 }
  for (const seed of seeds) {
    const pi = machine(seed)
    const { files } = pi.world
    await files.makeDirectory('/d')
    await files.writeFile('/d/synced', 'x')
    await files.syncDirectory('/d')
    await files.writeFile('/d/unsynced', 'x')
    const names = (await pi.boot().files.list('/d')).map(({ name }) => name)
    for (const name of names) found[name as keyof typeof found]++
  }
  expect(found.synced).toBe(seeds.length)
  expect(found.unsynced).toBeGreaterThan(5)
  expect(found.unsynced).toBeLessThan(seeds.length - 5)
})

test('writeDurably leaves the old content or the new, and the new when it has resolved', async () => {
  const seen = new Set<string>()
  for (const seed of seeds) {
    const simulation = new Simulation(seed)
    const pi = simulation.machine('pi')
    pi.disk.pace = { changeUs: [100, 1000], syncUs: [1000, 5000] }
    await simulation.complete(writeDurably(pi.world.files, '/f', 'old'))
    let done = false
    void writeDurably(pi.world.files, '/f', 'new').then(() => {
      done = true
    })
    await simulation.run(seed / 5)
    const content = (await simulation.complete(pi.boot().files.readFile('/f'))).toString()
    expect(['old', 'new']).toContain(content)
    if (done) expect(content).toBe('new')
    seen.add(`${content} ${done}`)
  }
  expect(seen.size).toBeGreaterThan(1)
})

test("without syncing, a file put in another's place may be torn", async () => {
  const seen = new Set<string>()
  for (const seed of seeds) {
    const pi = machine(seed)
    const { files } = pi.world
    await writeDurably(files, '/f', 'old')
    await files.writeFile('/f.new', 'new')
    await files.rename('/f.new', '/f')
    seen.add((await pi.boot().files.readFile('/f')).toString())
  }
  expect(seen).toContain('old')
  expect(seen).toContain('new')
  expect(seen).toContain('')
})

test('a kill keeps what was never synced', async () => {
  const pi = machine()
  await pi.world.files.writeFile('/f', 'x')
  pi.kill()
  expect((await pi.start().files.readFile('/f')).toString()).toBe('x')
})
