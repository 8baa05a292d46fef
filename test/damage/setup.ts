import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll } from 'vitest'
import { Dice } from '../../src/sim/world/dice.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { seed } from '../support/rounds.ts'
import { type Original, record } from './original.ts'

/** Nothing here is cut off, so nothing is gained by waiting for a disk: in memory it takes a third of the time. */
const MEMORY = '/dev/shm'
const ENOUGH_BYTES = 50e6

/** What the files of this suite share, there from before their first test until after their last. */
export interface Shared {
  readonly world: World
  /** One that was closed, and one whose process was killed. */
  readonly originals: readonly Original[]
}

/** To be called at the top of a file of tests. */
export function setUp(): Shared {
  const shared: { world: World; originals: Original[] } = { world: undefined as unknown as World, originals: [] }
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(`${await fastFolder()}/understudy-damage-`)
    shared.world = reproducible(await realWorld())
    for (const killed of [false, true]) {
      shared.originals.push(await record(shared.world, `${folder}/${killed ? 'killed' : 'closed'}`, killed))
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return shared
}

async function fastFolder(): Promise<string> {
  const space = await statfs(MEMORY).catch(() => undefined)
  return space && space.bavail * space.bsize > ENOUGH_BYTES ? MEMORY : tmpdir()
}

/** With the same seed the same bytes are recorded: a place in a file is the same place again. */
function reproducible(world: World): World {
  const dice = new Dice(seed)
  let nowUs = 3_600_000_000
  const tick = (): number => {
    nowUs += 100
    return nowUs
  }
  return {
    ...world,
    clock: {
      boot: '5f0c3a1e-0000-4000-8000-000000000001',
      wallUs: () => Date.UTC(2026, 10, 2, 8) * 1000 + tick(),
      monoUs: tick,
      synchronised: async () => true
    },
    random: { bytes: (count) => dice.bytes(count), fraction: () => dice.fraction() }
  }
}
