import { hash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Disk } from '../sim/world/disk.ts'
import type { Machine } from '../sim/world/machine.ts'
import { systemError } from '../sim/world/system-error.ts'
import type { World } from '../world/world.ts'
import { readCatalogue } from './catalogue.ts'
import type { Frame } from './entry.ts'
import { aMachine, directory, silent, texts, told, withFiles, writerOptions } from './fixtures.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { journalPaths } from './paths.ts'
import { openSnapshot } from './snapshot.ts'

/** The data disk: where stores lie while it comes and goes. */

const mount = '/media/usb'

let machine: Machine
let usb: Disk
/** What was appended, in order. */
let sent: string[]

beforeEach(() => {
  machine = aMachine()
  usb = machine.mount(mount)
  sent = []
})

const complete = <T>(work: Promise<T>): Promise<T> => machine.simulation.complete(work)

function open(options: Partial<JournalOptions> = {}, world: World = machine.world): Promise<Journal> {
  return complete(Journal.open(world, { ...writerOptions, disk: mount, ...options }, silent))
}

function record(journal: Journal, count = 5): void {
  for (let i = 0; i < count; i++) {
    // What does not compress: a store is to grow.
    const text = `message ${sent.length} ${hash('sha256', String(sent.length))}`
    sent.push(text)
    journal.append(told('spin30', text))
  }
}

/** Some that are on the disk when it resolves. */
async function kept(journal: Journal, count = 5): Promise<void> {
  record(journal, count)
  await complete(journal.commit())
}

/** Where each store of the catalogue lies. */
async function places(): Promise<string[]> {
  const catalogue = await complete(readCatalogue(machine.world.files, journalPaths(directory).catalogue))
  return catalogue!.stores.map(({ disk }) => (disk === undefined ? 'card' : 'disk'))
}

/** How many stores are on the list that are not kept. */
async function removed(): Promise<number> {
  const catalogue = await complete(readCatalogue(machine.world.files, journalPaths(directory).catalogue))
  return catalogue!.stores.filter((store) => store.removed).length
}

/** Everything is there once, in order, and nothing is wrong. */
async function expectWhole(journal: Pick<Journal, 'range' | 'verify' | 'coverage'>): Promise<void> {
  expect(await complete(texts(journal.range({})))).toEqual(sent)
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [] })
  await expectAddsUp(journal)
}

async function expectAddsUp(journal: Pick<Journal, 'coverage'>): Promise<void> {
  for (const { fromUs, toUs, heardUs, rest } of await complete(journal.coverage())) {
    const restUs = rest.reduce((sum, gap) => sum + gap.toUs - gap.fromUs, 0)
    expect(heardUs + restUs).toBe(toUs - fromUs)
  }
}

test('new stores go to the disk, everything else stays in the data folder', async () => {
  const journal = await open()
  await kept(journal)
  expect(await places()).toEqual(['disk'])
  expect(journal.disk).toEqual({ mount, used: true, away: [] })
  const { files } = machine.world
  const [folder] = await files.list(mount)
  expect(folder!.name).toMatch(/^understudy-[0-9a-f]{16}$/)
  expect(await files.list(`${mount}/${folder!.name}/stores`)).toMatchObject([{ name: '000001' }])
  expect(await files.list(journalPaths(directory).stores)).toEqual([])
  await complete(journal.close())
  const again = await open()
  await kept(again)
  expect(await places()).toEqual(['disk'])
  await expectWhole(again)
})

test('an empty mount point is never written to', async () => {
  machine.detach(mount)
  const journal = await open()
  await kept(journal)
  expect(await places()).toEqual(['card'])
  expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_AWAY' })
  expect(await machine.world.files.list(mount)).toEqual([])
  await complete(journal.lookForDisk())
  expect(await machine.world.files.list(mount)).toEqual([])
  await complete(journal.close())
})

test.each(['folder', 'mounted'] as const)(
  'pulled while recording (%s): it goes on on the card, and back',
  async (left) => {
    const journal = await open()
    await kept(journal)
    machine.detach(mount, left)
    record(journal)
    const begun = machine.simulation.nowUs
    await kept(journal)
    expect(machine.simulation.nowUs - begun).toBeLessThan(5_000_000)
    expect(await places()).toEqual(['disk', 'card'])
    expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED', away: [{ store: 1 }] })

    expect(await complete(texts(journal.range({})))).toEqual(sent.slice(5))
    expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [{ store: 1, fromPosition: 1 }] })
    expect(await complete(journal.repair())).toMatchObject({ examined: [], salvaged: [], unsalvaged: [] })
    await expectAddsUp(journal)

    machine.attach(mount, usb)
    expect(await complete(journal.lookForDisk())).toEqual({ mount, used: true, away: [] })
    await kept(journal)
    expect(await places()).toEqual(['disk', 'card', 'disk'])
    await expectWhole(journal)
    await complete(journal.close())
    await expectWhole(await complete(openSnapshot(machine.world, directory)))
  }
)

test('coverage says that the disk is away for as long as it is', async () => {
  const journal = await open()
  journal.hearing.added('spin30')
  journal.hearing.heard('spin30')
  for (let second = 0; second < 60; second++) {
    await machine.simulation.run(1000)
    journal.hearing.proof('spin30')
    if (second === 30) machine.detach(mount)
    if (second % 10 === 9) await kept(journal, 1)
  }
  const gaps = async (): Promise<string[]> => {
    const [coverage] = await complete(journal.coverage())
    return coverage!.rest.map(({ cause }) => cause)
  }
  expect(await gaps()).toContain('disk away')
  await expectAddsUp(journal)
  machine.attach(mount, usb)
  await complete(journal.lookForDisk())
  expect(await gaps()).not.toContain('disk away')
  await expectWhole(journal)
})

test('started without it after a clean end, nothing is left out, and nothing is used twice', async () => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  machine.detach(mount)
  const second = await open()
  await kept(second)
  expect(second.disk.away).toMatchObject([{ store: 1 }])
  await complete(second.close())
  machine.attach(mount, usb)
  const third = await open()
  await kept(third)
  await complete(third.repaired())
  expect(await places()).toEqual(['disk', 'card', 'disk'])
  await expectWhole(third)
  const seqs: number[] = []
  for await (const frames of third.range({})) seqs.push(...frames.map(({ seq }: Frame) => seq))
  expect(seqs).toEqual(sent.map((_, index) => index + 1))
})

test('started without it after a cut, it goes on above the reserve, and what the disk holds is read later', async () => {
  // What the head says of the first store is lost with it: only the disk knows.
  const first = await open()
  await kept(first)
  await machine.simulation.run(20_000)
  await kept(first)
  machine.cutPower()
  machine.boot()
  machine.detach(mount)
  const second = await open()
  const cursor = second.cursor({ position: second.firstPosition })
  await kept(second)
  expect(second.nextPosition).toBeGreaterThan(1_000_000)
  const frames = async (): Promise<string[]> => {
    const found: string[] = []
    for (let some = await cursor.next(); some.length > 0; some = await cursor.next()) {
      found.push(...some.flatMap((entry) => (entry.kind === 'frame' ? [entry.payload.toString()] : [])))
    }
    return found
  }
  expect(await complete(frames())).toEqual(sent.slice(10))
  machine.attach(mount, usb)
  await complete(second.lookForDisk())
  await kept(second)
  await expectWhole(second)
  expect([...(await complete(frames()))].sort()).toEqual([...sent.slice(0, 10), ...sent.slice(15)].sort())
  expect(cursor.place.skipped).toEqual([])
  await complete(second.close())
  const third = await open()
  await expectWhole(third)
})

test('what the disk had lost of what it had acknowledged is a gap, and nothing else', async () => {
  const journal = await open({ storeBytes: 1e9 })
  await kept(journal, 50)
  machine.detach(mount)
  await kept(journal)
  machine.attach(mount, usb)
  // It acknowledged a sync that it had not done: the log ends early.
  const [folder] = await machine.world.files.list(mount)
  const path = `${mount}/${folder!.name}/stores/000001`
  const log = (await machine.world.files.list(path)).find(({ name }) => name.endsWith('.log'))!
  const content = await machine.world.files.readFile(`${path}/${log.name}`)
  await machine.world.files.writeFile(`${path}/${log.name}`, content.subarray(0, content.length - 20))
  await complete(journal.lookForDisk())
  const { problems } = await complete(journal.verify())
  expect(problems).toMatchObject([{ kind: 'missing', store: 1 }])
  const found = await complete(texts(journal.range({})))
  expect(found).toEqual(sent.filter((text) => found.includes(text)))
  expect(found.slice(-5)).toEqual(sent.slice(-5))
  await expectAddsUp(journal)
})

test('another disk is not taken for the one before, and both are read where they are there', async () => {
  const journal = await open()
  await kept(journal)
  machine.detach(mount)
  await kept(journal)
  const other = machine.mount(mount)
  expect(await complete(journal.lookForDisk())).toMatchObject({
    used: true,
    code: 'UNDERSTUDY_DISK_OTHER',
    away: [{ store: 1 }]
  })
  await kept(journal)
  await complete(journal.close())
  expect(machine.detach(mount)).toBe(other)
  machine.attach(mount, usb)
  const again = await open()
  expect(again.disk).toMatchObject({ used: true, away: [{ store: 3 }] })
  expect(await complete(texts(again.range({})))).toEqual([...sent.slice(0, 10)])
})

test('a disk that cannot be written is not used, and recording goes on', async () => {
  usb.readOnly = true
  const journal = await open()
  await kept(journal)
  expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED' })
  expect(await places()).toEqual(['card'])
  usb.readOnly = false
  await complete(journal.lookForDisk())
  await kept(journal)
  expect(await places()).toEqual(['card', 'disk'])
  usb.readOnly = true
  await kept(journal)
  expect(await places()).toEqual(['card', 'disk', 'card'])
  usb.readOnly = false
  await complete(journal.lookForDisk())
  await expectWhole(journal)
})

test('a disk that is full is there all the same, and is written again when it has room', async () => {
  const journal = await open({ storeBytes: 20_000 })
  await kept(journal)
  const { capacityBytes } = usb
  usb.capacityBytes -= usb.freeBytes
  await kept(journal, 20)
  expect(await places()).toEqual(['disk', 'card'])
  expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED', away: [] })
  usb.capacityBytes = capacityBytes
  await expectWhole(journal)
  while ((await places()).length < 3) await kept(journal, 20)
  expect(await places()).toEqual(['disk', 'card', 'disk'])
  await kept(journal)
  expect(journal.disk).toEqual({ mount, used: true, away: [] })
  await expectWhole(journal)
})

test.each(['stores', 'snapshot'])('a start goes on where %s cannot be cleared on the disk', async (what) => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  const { files } = machine.world
  const { name } = (await files.list(mount))[0]!
  const leftover = what === 'stores' ? 'stores/000001.look-12ab' : 'snapshot-12ab'
  await files.makeDirectory(`${mount}/${name}/${leftover}`, 0o750)
  await machine.simulation.run(2 * 86_400_000)
  const world = withFiles(machine.start(), {
    remove: async (path) => {
      if (path.endsWith(leftover)) throw systemError('EIO', 'rm', path)
      return machine.world.files.remove(path)
    }
  })
  const journal = await open({}, world)
  await kept(journal)
  // The store before was left as one of a disk that is away; the disk was looked for again when the next was begun.
  expect(await places()).toEqual(['disk', 'disk'])
  await expectWhole(journal)
})

test('each disk makes room for itself, and what is away is not touched', async () => {
  const small = { storeBytes: 3000, retention: { minFreeBytes: 0, maxBytes: 60_000 } }
  const journal = await open(small)
  for (let i = 0; i < 10; i++) await kept(journal, 20)
  machine.detach(mount)
  for (let i = 0; i < 60; i++) await kept(journal, 20)
  const { away } = journal.disk
  expect(away.length).toBeGreaterThan(2)
  expect(journal.firstPosition).toBe(1)
  const onCard = await complete(texts(journal.range({})))
  expect(onCard.length).toBeLessThan(1000)
  expect(onCard).toEqual(sent.slice(-onCard.length))
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away })
  await expectAddsUp(journal)
  const stores = async (): Promise<number> => (await machine.world.files.list(journalPaths(directory).stores)).length
  expect(await stores()).toBe((await places()).length - away.length - (await removed()))
  machine.attach(mount, usb)
  await complete(journal.lookForDisk())
  const found = await complete(texts(journal.range({})))
  expect(found).toEqual(sent.filter((text) => found.includes(text)))
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [] })
  await expectAddsUp(journal)
  for (let i = 0; i < 60; i++) await kept(journal, 20)
  expect(journal.firstPosition).toBeGreaterThan(away.at(-1)!.toPosition)
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [] })
})

test('what is to be erased on a disk that is away is told of, and erased when it is back', async () => {
  const dayUs = 86_400_000_000
  const said: string[] = []
  const log = { ...silent, warn: (_: object, text: string) => void (text.includes('erase_after') && said.push(text)) }
  const retention = { minFreeBytes: 0, eraseBefore: (nowUs: number) => nowUs - 40 * dayUs }
  const options = { ...writerOptions, disk: mount, storeBytes: 3000, retention }
  const journal = await complete(Journal.open(machine.world, options, log))
  for (let i = 0; i < 10; i++) await kept(journal, 20)
  machine.detach(mount)
  for (let i = 0; i < 3; i++) await kept(journal, 20)
  const onDisk = journal.disk.away.map(({ store }) => store)
  expect(onDisk.length).toBeGreaterThan(2)
  await machine.simulation.run(9 * 86_400_000)
  expect(journal.unerased).toEqual([])
  await machine.simulation.run(32 * 86_400_000)
  expect(journal.unerased.map(({ store }) => store)).toEqual(onDisk)
  const unreached = (): number => said.filter((text) => text.includes('cannot reach')).length
  expect(unreached()).toBe(onDisk.length)
  machine.attach(mount, usb)
  await complete(journal.lookForDisk())
  await machine.simulation.run(120_000)
  expect(journal.unerased).toEqual([])
  expect(unreached()).toBe(onDisk.length)
  // in the newest store, which is still being written
  expect(await complete(texts(journal.range({})))).toEqual(sent.slice(-60))
  const { files } = machine.world
  const folder = (await complete(files.list(mount))).find(({ name }) => name.startsWith('understudy'))!.name
  const numbers = (await complete(files.list(`${mount}/${folder}/stores`))).map(({ name }) => Number.parseInt(name, 10))
  expect(numbers.filter((number) => onDisk.includes(number))).toEqual([])
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [] })
}, 60_000)

test('a lost catalogue is made anew with what lies on the disk', async () => {
  const journal = await open()
  await kept(journal)
  machine.detach(mount)
  await kept(journal)
  machine.attach(mount, usb)
  await complete(journal.lookForDisk())
  await kept(journal)
  await complete(journal.close())
  await machine.world.files.remove(journalPaths(directory).catalogue)
  const again = await open()
  expect(await places()).toEqual(['disk', 'card', 'disk', 'disk'])
  expect(await complete(texts(again.range({})))).toEqual(sent)
})

test('a power cut at any moment of a return leaves nothing behind, lost or twice', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    machine = aMachine(seed)
    usb = machine.mount(mount)
    usb.pace = { changeUs: [100, 2000], syncUs: [1000, 10_000] }
    sent = []
    const journal = await open()
    await kept(journal)
    machine.detach(mount)
    await kept(journal)
    machine.attach(mount, usb)
    journal.lookForDisk().catch(() => {})
    await machine.simulation.run(seed * 2)
    machine.cutPower()
    machine.boot()
    const again = await open()
    await kept(again)
    await complete(again.repaired())
    await expectWhole(again)
    await complete(again.close())
  }
})
