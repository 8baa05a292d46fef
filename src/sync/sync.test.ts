import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { sealedFolders } from '../captures/sealed.ts'
import type { Config } from '../config/config.ts'
import { validate } from '../config/validate.ts'
import type { Log } from '../log.ts'
import { SimulatedPrimary } from '../sim/primary/primary.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { sealDay } from './fixtures.ts'
import { nameOf } from './handed.ts'
import { Sync } from './sync.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const SITE = 'pi1'
const HOUR_MS = 3_600_000

function configWith(sync: object = {}): Config {
  const tree = {
    time_zone: 'Etc/UTC',
    site: SITE,
    data: { directory: '/data' },
    sync: { target: 'understudy@primary:/srv/understudy', ...sync }
  }
  const result = validate(tree)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.config
}

/** A Pi with sealed folders, and a primary. */
class Place {
  readonly simulation: Simulation
  readonly pi: Machine
  readonly primary: SimulatedPrimary
  readonly config: Config
  /** What the ledger and the journal were told. */
  readonly confirmed: string[] = []
  readonly removed: string[] = []
  below = 0
  timeKnown = true
  unerased: string[] = []

  constructor(seed = 1, sync: object = {}, pi: Parameters<Simulation['machine']>[1] = {}) {
    this.simulation = new Simulation(seed)
    this.pi = this.simulation.machine('pi', pi)
    this.primary = new SimulatedPrimary(this.pi, SITE)
    this.config = configWith(sync)
  }

  open(world: World = this.pi.world): Sync {
    const around = {
      sealed: () => sealedFolders(world.files, '/data'),
      pathOf: ({ capture, folder }: { capture: string; folder: string }) => `/data/captures/${capture}/${folder}`,
      removed: async (folder: { capture: string; folder: string }) => void this.removed.push(nameOf(folder)),
      certainUs: () => (this.timeKnown ? world.clock.wallUs() : undefined),
      isWhole: (capture: string) => capture === 'daily',
      confirmed: async (folder: { capture: string; folder: string }) => void this.confirmed.push(nameOf(folder)),
      confirmJournal: async (position: number) => {
        this.below = position
      },
      unerased: () => this.unerased,
      firstPosition: () => 1,
      verdict: () => ({ state: 'ok' })
    }
    return new Sync(world, this.config, around, silent)
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.simulation.complete(promise, 100 * HOUR_MS)
  }

  seal(day: number, sizes: readonly number[] = [5000, 300]): Promise<string> {
    const contents = sizes.map((size, i) => [`spin${30 + i}.jsonl.zst`, Buffer.alloc(size, day * 7 + i + 1)])
    return this.complete(sealDay(this.pi.world.files, '/data', SITE, day, Object.fromEntries(contents)))
  }

  /** Whether the primary has exactly what is here. */
  async same(name: string): Promise<boolean> {
    const { files } = this.pi.world
    const there = this.primary.folder(name)
    const here = await this.complete(files.list(`/data/captures/${name}`))
    if (here.length !== there.size) return false
    for (const { name: file } of here) {
      const content = await this.complete(files.readFile(`/data/captures/${name}/${file}`))
      if (!there.get(file)?.equals(content)) return false
    }
    return true
  }
}

let place: Place
beforeEach(() => {
  place = new Place()
})

test('with what is sent goes the verdict, under a dated name', async () => {
  await place.seal(0)
  await place.complete(place.open().run())
  const notes = [...place.primary.folder('.notes')].filter(([name]) => name.endsWith('-verdict.json'))
  expect(notes.map(([name]) => name)).toEqual([expect.stringMatching(/^\d{8}T\d{9}Z-verdict\.json$/)])
  expect(JSON.parse(notes[0]![1].toString())).toEqual({ state: 'ok' })
})

test('three days are sent, and confirmed by their receipts', async () => {
  const names = [await place.seal(0), await place.seal(1), await place.seal(2)]
  const sync = place.open()
  const shares: number[] = []
  const report = await place.complete(sync.run({ progress: (_, share) => shares.push(share) }))
  expect(report).toEqual({ sent: names, confirmed: names, waiting: [], differing: [] })
  for (const name of names) expect(await place.same(name)).toBe(true)
  expect(place.confirmed).toEqual(names)
  expect(place.below).toBe(300)
  expect(shares).toContain(1)
  const again = await place.complete(sync.run())
  expect(again).toEqual({ sent: [], confirmed: [], waiting: [], differing: [] })
  expect(place.confirmed).toEqual(names)
})

test('without a receipt nothing counts as handed over; one that comes later is found', async () => {
  place.primary.answers = false
  const name = await place.seal(0)
  const sync = place.open()
  expect(await place.complete(sync.run())).toEqual({ sent: [name], confirmed: [], waiting: [name], differing: [] })
  expect([place.confirmed, place.below]).toEqual([[], 0])
  sync.start()
  await place.simulation.run(25 * HOUR_MS)
  expect((await place.complete(sync.status())).problems).toEqual([{ code: 'UNDERSTUDY_SYNC_NO_RECEIPT', detail: name }])
  place.primary.receipts()
  await place.simulation.run(2 * HOUR_MS)
  expect([place.confirmed, place.below]).toEqual([[name], 100])
  expect(await place.complete(sync.status())).toMatchObject({ confirmed: 1, waiting: [], problems: [] })
})

test('the journal counts as handed over up to the first folder that is not', async () => {
  await place.seal(0)
  const second = await place.seal(1)
  await place.seal(2)
  const sync = place.open()
  place.primary.answers = false
  await place.complete(sync.run())
  const damaged = `${SITE}/${second}/spin30.jsonl.zst`
  place.primary.files.set(damaged, Buffer.from('something else'))
  place.primary.receipts()
  expect((await place.complete(sync.run())).differing).toEqual([second])
  expect(place.below).toBe(100)
  expect((await place.complete(sync.status())).problems).toEqual([{ code: 'UNDERSTUDY_SYNC_DIFFERS', detail: second }])
})

test('a file that is damaged there afterwards is reported, and sent again once it was moved away', async () => {
  const name = await place.seal(0)
  const sync = place.open()
  await place.complete(sync.run())
  place.primary.files.set(`${SITE}/${name}/spin31.jsonl.zst`, Buffer.from('rotten'))
  expect((await place.complete(sync.run())).differing).toEqual([])
  expect((await place.complete(sync.run({ recheck: true }))).differing).toEqual([name])
  expect((await place.complete(sync.status())).confirmed).toBe(0)
  for (const file of place.primary.folder(name).keys()) place.primary.files.delete(`${SITE}/${name}/${file}`)
  place.primary.receipts()
  await place.complete(sync.run())
  expect(await place.complete(sync.run())).toMatchObject({ sent: [name], confirmed: [name], differing: [] })
  expect(await place.same(name)).toBe(true)
})

test('the primary is asked to hash anew by itself, once in a while', async () => {
  const name = await place.seal(0)
  const sync = place.open()
  sync.start()
  await place.simulation.run(HOUR_MS)
  place.primary.files.set(`${SITE}/${name}/spin31.jsonl.zst`, Buffer.from('rotten'))
  await place.simulation.run(29 * 24 * HOUR_MS)
  expect((await place.complete(sync.status())).problems).toEqual([])
  await place.simulation.run(48 * HOUR_MS)
  expect((await place.complete(sync.status())).problems).toEqual([{ code: 'UNDERSTUDY_SYNC_DIFFERS', detail: name }])
})

test('it is looked at the times of the schedule, in the zone of the site', async () => {
  const life = new Place(1, { schedule: '30 3 * * *' })
  const sync = life.open()
  sync.start()
  // 08:00 UTC at first: a first look, then at half past three.
  await life.simulation.run(HOUR_MS)
  await life.seal(0)
  await life.simulation.run(18 * HOUR_MS)
  expect((await life.complete(sync.status())).confirmed).toBe(0)
  await life.simulation.run(HOUR_MS)
  expect((await life.complete(sync.status())).confirmed).toBe(1)
})

describe('when it fails', () => {
  test('what has come stays, and the next attempt goes on there', async () => {
    const name = await place.seal(0, [100_000])
    const sync = place.open()
    for (let cut = 0; cut < 20; cut++) {
      place.primary.cutAfterBytes = 4000
      await expect(place.complete(sync.run())).rejects.toMatchObject({ code: 'UNDERSTUDY_SYNC_CUT' })
    }
    expect(place.primary.folder(name).size).toBe(0)
    expect((await place.complete(sync.run())).confirmed).toEqual([name])
    expect(await place.same(name)).toBe(true)
    expect(place.primary.sentBytes).toBeLessThan(110_000)
    expect(place.primary.folder('.partial').size).toBe(0)
  })

  test('it waits longer after each failure, also over restarts, and then goes on', async () => {
    const name = await place.seal(0)
    place.primary.reachable = false
    let sync = place.open()
    sync.start()
    await place.simulation.run(5 * HOUR_MS)
    const count = (await place.complete(sync.status())).failure?.count ?? 0
    expect(count).toBeGreaterThan(5)
    expect(count).toBeLessThan(12)
    await place.complete(sync.stop())
    place.pi.kill()
    sync = place.open(place.pi.start())
    sync.start()
    expect((await place.complete(sync.status())).failure).toMatchObject({ code: 'UNDERSTUDY_SYNC_UNREACHABLE', count })
    place.primary.reachable = true
    await place.simulation.run(10 * HOUR_MS)
    expect(await place.complete(sync.status())).toMatchObject({ confirmed: 1, failure: undefined })
    expect(await place.same(name)).toBe(true)
  })

  test('a full disk there is told of, and taken up when there is room', async () => {
    const name = await place.seal(0, [50_000, 60_000])
    place.primary.roomBytes = 70_000
    const sync = place.open()
    for (let i = 0; i < 3; i++) {
      await expect(place.complete(sync.run())).rejects.toMatchObject({ code: 'UNDERSTUDY_SYNC_FAR_FULL' })
    }
    place.primary.roomBytes = 200_000
    expect((await place.complete(sync.run())).confirmed).toEqual([name])
    expect(await place.same(name)).toBe(true)
  })

  test('a full disk here is told of as such, and taken up when there is room', async () => {
    const life = new Place(1, {}, { diskBytes: 2_000_000 })
    const { files } = life.pi.world
    const name = await life.seal(
      0,
      Array.from({ length: 300 }, () => 300)
    )
    life.primary.answers = false
    const sync = life.open()
    expect((await life.complete(sync.run())).waiting).toEqual([name])
    life.primary.receipts()
    // with room for some small files, but not for the receipt; and then for nothing
    for (const roomBytes of [8192, 0]) {
      const { freeBytes } = await life.complete(files.space('/data'))
      const ballastBytes = Math.floor((freeBytes - roomBytes) / 4096) * 4096
      await life.complete(files.writeFile(`/data/ballast-${roomBytes}`, Buffer.alloc(ballastBytes)))
      await expect(life.complete(sync.run())).rejects.toMatchObject({
        code: 'UNDERSTUDY_SYNC_NEAR_FULL',
        detail: roomBytes > 0 ? 'fetching receipts (exit code 23)' : ''
      })
      expect((await life.complete(sync.status())).failure).toMatchObject({ code: 'UNDERSTUDY_SYNC_NEAR_FULL' })
    }
    for (const roomBytes of [8192, 0]) await life.complete(files.remove(`/data/ballast-${roomBytes}`))
    expect((await life.complete(sync.run())).confirmed).toEqual([name])
    expect((await life.complete(sync.status())).failure).toBe(undefined)
  })

  test('another host key stops it until a person has changed what is pinned', async () => {
    await place.seal(0)
    const sync = place.open()
    await place.complete(sync.run())
    await place.seal(1)
    place.primary.hostKey = 'ssh-ed25519 second'
    sync.start()
    await place.simulation.run(100 * HOUR_MS)
    expect((await place.complete(sync.status())).failure).toMatchObject({ code: 'UNDERSTUDY_SYNC_HOST_KEY', count: 1 })
    expect((await place.complete(sync.status())).confirmed).toBe(1)
    await place.complete(place.pi.world.files.remove('/data/sync/known_hosts'))
    await place.simulation.run(HOUR_MS)
    expect(await place.complete(sync.status())).toMatchObject({ confirmed: 2, failure: undefined })
  })

  test('a key that may run commands there is not used', async () => {
    await place.seal(0)
    place.primary.restricted = false
    const sync = place.open()
    await expect(place.complete(sync.run())).rejects.toMatchObject({ code: 'UNDERSTUDY_SYNC_UNRESTRICTED' })
    expect(place.primary.files.size).toBe(0)
  })

  test('a missing program and a missing target are named', async () => {
    await place.seal(0)
    place.pi.programs.delete('rsync')
    const failed = place.open().run()
    await expect(place.complete(failed)).rejects.toMatchObject({ code: 'UNDERSTUDY_SYNC_NO_PROGRAM', detail: 'rsync' })
    const none = new Place(2, { target: undefined })
    await none.seal(0)
    await expect(none.complete(none.open().run())).rejects.toMatchObject({ code: 'UNDERSTUDY_SYNC_NO_TARGET' })
  })
})

test('it is never done twice at a time', async () => {
  await place.seal(0, [5_000_000])
  const sync = place.open()
  sync.start()
  const [one, other] = [sync.run(), sync.run()]
  expect(await place.complete(one)).toBe(await place.complete(other))
  await place.simulation.run(5 * HOUR_MS)
  expect(place.primary.mostTransfers).toBe(1)
})

test('a stop ends a transfer at once and is no failure', async () => {
  await place.seal(0, [50_000_000])
  const sync = place.open()
  const run = sync.run()
  run.catch(() => {})
  await place.simulation.run(1000)
  await place.complete(sync.stop())
  await expect(run).rejects.toThrow('aborted')
  expect((await place.complete(sync.status())).failure).toBeUndefined()
})

describe('what is kept here', () => {
  const DAY_MS = 24 * HOUR_MS
  const here = async (life: Place): Promise<string[]> =>
    (await life.complete(sealedFolders(life.pi.world.files, '/data'))).map(nameOf)

  test('a folder goes for its age only when it is confirmed, and stays where the primary has something else', async () => {
    const life = new Place(1, { max_age: '2d' })
    const names = [await life.seal(0), await life.seal(1)]
    life.primary.answers = false
    const sync = life.open()
    sync.start()
    await life.simulation.run(10 * DAY_MS)
    expect(await here(life)).toEqual(names)
    life.primary.files.set(`${SITE}/${names[1]}/spin30.jsonl.zst`, Buffer.from('rotten'))
    life.primary.receipts()
    await life.simulation.run(DAY_MS)
    expect([await here(life), life.removed]).toEqual([[names[1]], [names[0]]])
    expect(await life.complete(sync.status())).toMatchObject({ confirmed: 1, unsent: [], differing: [names[1]] })
    expect(life.primary.folder(names[0]!).size).toBe(3)
  })

  test('what erase_after cannot reach is told of, until it can', async () => {
    const sync = place.open()
    place.unerased = ['store 3, begun 2026-11-02']
    expect((await place.complete(sync.run())).unerased).toEqual(place.unerased)
    const { problems } = await place.complete(sync.status())
    expect(problems).toEqual([{ code: 'UNDERSTUDY_ERASE_AWAY', detail: 'store 3, begun 2026-11-02' }])
    place.unerased = []
    expect(await place.complete(sync.run())).not.toHaveProperty('unerased')
    expect((await place.complete(sync.status())).problems).toEqual([])
  })

  test('the oldest go where they are too large together', async () => {
    const life = new Place(1, { max_size: '10MB' })
    const names = []
    for (let day = 0; day < 4; day++) names.push(await life.seal(day, [3_500_000]))
    const sync = life.open()
    sync.start()
    await life.simulation.run(3 * HOUR_MS)
    expect(await here(life)).toEqual(names.slice(2))
    expect(await life.complete(sync.run())).toEqual({ sent: [], confirmed: [], waiting: [], differing: [] })
  })

  test('a full disk is offered what is confirmed, the oldest first', async () => {
    const names = [await place.seal(0), await place.seal(1)]
    const sync = place.open()
    expect(await place.complete(sync.removable(true))).toBeUndefined()
    await place.complete(sync.run())
    for (const name of names) {
      const next = (await place.complete(sync.removable(true)))!
      expect(next.name).toBe(`captures/${name}`)
      expect(next.bytes).toBeGreaterThan(5300)
      await place.complete(next.remove())
    }
    expect([await here(place), await place.complete(sync.removable(true))]).toEqual([[], undefined])
  })

  test('and asked for what is not, the oldest of that', async () => {
    const names = [await place.seal(0), await place.seal(1)]
    const sync = place.open()
    const [first, second] = [await place.complete(sync.removable(false)), await place.complete(sync.removable(false))]
    expect([first!.name, second!.name]).toEqual([`captures/${names[0]}`, `captures/${names[0]}`])
    await place.complete(first!.remove())
    expect((await place.complete(sync.removable(false)))!.name).toBe(`captures/${names[1]}`)
    await place.complete(sync.run())
    expect([await here(place), await place.complete(sync.removable(false))]).toEqual([[names[1]], undefined])
  })

  test('erase_after takes what is old, confirmed or not, and says so 30 days before', async () => {
    const life = new Place(1, { target: undefined, erase_after: '40d' })
    const name = await life.seal(0)
    const sync = life.open()
    sync.start()
    await life.simulation.run(DAY_MS)
    expect((await life.complete(sync.status())).erasing).toEqual([])
    await life.simulation.run(11 * DAY_MS)
    const [announced, ...none] = (await life.complete(sync.status())).erasing
    expect([announced, none]).toEqual([{ name, atMs: Date.UTC(2026, 10, 3) + 40 * DAY_MS, confirmed: false }, []])
    await life.simulation.run(28 * DAY_MS)
    expect(await here(life)).toEqual([name])
    await life.simulation.run(2 * DAY_MS)
    expect([await here(life), life.removed]).toEqual([[], [name]])
    expect(await life.complete(sync.status())).toMatchObject({ unsent: [], erasing: [] })
  })

  test('a date erases what was recorded before it; without a certain time nothing goes', async () => {
    const life = new Place(1, { target: undefined, erase_after: new Date('2026-11-03') })
    const names = [await life.seal(0), await life.seal(1)]
    life.timeKnown = false
    life.open().start()
    await life.simulation.run(5 * DAY_MS)
    expect(await here(life)).toEqual(names)
    life.timeKnown = true
    await life.simulation.run(2 * HOUR_MS)
    expect(await here(life)).toEqual([names[1]])
  })

  test('killed while one is removed, it is gone or whole, and on record', async () => {
    for (let ms = 0; ms < 30; ms++) {
      const life = new Place(ms, { max_age: '1d' })
      const name = await life.seal(0, [3000])
      await life.complete(life.open().run())
      await life.simulation.run(3 * DAY_MS)
      const sync = life.open()
      sync.start()
      await life.simulation.run(60_000 + ms / 5)
      life.pi.kill()
      life.pi.start()
      const left = await here(life)
      if (left.length > 0) expect(left).toEqual([name])
      life.open().start()
      await life.simulation.run(2 * HOUR_MS)
      expect(await life.complete(life.pi.world.files.list('/data/captures/daily'))).toEqual([])
      expect(life.removed).toContain(name)
    }
  })
})

test('killed or cut off anywhere between sealed and confirmed: one folder, whole, and nothing believed early', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 5 }),
      async (seed, kills) => {
        const life = new Place(seed)
        const name = await life.seal(0, [3000, 2000])
        for (const ms of kills) {
          const sync = life.open(life.pi.world)
          const run = sync.run()
          run.catch(() => {})
          await life.simulation.run(ms)
          const told = life.below === 100
          if (told) expect(await life.same(name)).toBe(true)
          life.pi.kill()
          life.pi.start()
        }
        const sync = life.open(life.pi.world)
        await life.complete(sync.run())
        // A receipt may come later than it is looked for.
        await life.simulation.run(2000)
        await life.complete(sync.run())
        expect(await life.same(name)).toBe(true)
        expect(new Set(life.confirmed)).toEqual(new Set([name]))
        const visible = [...life.primary.files.keys()].filter((path) => path.endsWith('/manifest.json'))
        expect(visible).toEqual([`${SITE}/${name}/manifest.json`])
      }
    ),
    { numRuns: 60 }
  )
})

test('however it is killed, nothing goes here before the primary has proved to have it', async () => {
  const kills = fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.integer(), kills, fc.boolean(), async (seed, after, answers) => {
      const life = new Place(seed, { max_age: '1d' })
      life.primary.answers = answers
      const name = await life.seal(0, [3000, 2000])
      await life.simulation.run(72 * HOUR_MS)
      const check = async (): Promise<void> => {
        const here = await life.complete(life.pi.world.files.info(`/data/captures/${name}/manifest.json`))
        if (here) return
        expect(life.confirmed).toContain(name)
        expect(life.primary.folder(name).size).toBe(3)
      }
      for (const ms of after) {
        life.open().start()
        // To its first look, and then some.
        await life.simulation.run(60_000 + ms)
        life.pi.kill()
        life.pi.start()
        await check()
      }
      const sync = life.open()
      sync.start()
      await life.simulation.run(4 * HOUR_MS)
      await check()
      if (!answers) expect(life.confirmed).toEqual([])
      else expect((await life.complete(sync.status())).confirmed).toBe(1)
    }),
    { numRuns: 60 }
  )
})
