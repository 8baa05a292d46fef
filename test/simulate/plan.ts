import type { Dice } from '../../src/sim/world/dice.ts'
import { Dice as SeededDice } from '../../src/sim/world/dice.ts'
import type { Ms } from '../../src/world/time.ts'
import { farFaultKinds } from './far-faults.ts'
import { type FaultKind, faultKinds, kindOf } from './faults.ts'
import type { Kind } from './kind.ts'

export const DAY_MS = 86_400_000
/** At the end of a life nothing breaks for so long: the longest wait between two attempts, and some. */
export const CALM_MS = 13 * 60_000

/** Something that breaks, and is put right `forMs` later. */
export interface Fault {
  readonly kind: FaultKind
  readonly atMs: Ms
  readonly forMs: Ms
  /** A number in [0, 1) that each kind takes for what it leaves to chance. */
  readonly chance: number
}

/** What one life is like. It follows from the seed, and shrinking leaves some of its faults out. */
export interface Plan {
  readonly seed: number
  readonly lifeMs: Ms
  readonly streams: number
  readonly readIntervalMs: Ms
  readonly pingIntervalMs: Ms
  readonly silenceTimeoutMs: Ms
  readonly commitIntervalMs: Ms
  readonly storeSizeBytes: number
  readonly storeAgeMs: Ms
  readonly memoryBytes: number
  /** What the journal may take; older stores are removed then. */
  readonly maxBytes: number | undefined
  readonly reserveBytes: number
  readonly diskBytes: number
  /** So much of the disk is kept free; older stores are removed for it. */
  readonly minFreeBytes: number
  /** What is older, and confirmed, is removed. */
  readonly maxAgeMs: Ms | undefined
  /** How often somebody confirms what is elsewhere too; never when absent. */
  readonly confirmMs: Ms | undefined
  /** How often a second reader comes, which holds what it has not read; there is none when absent. */
  readonly visitMs: Ms | undefined
  /** Mean time between two bursts of messages on a stream. */
  readonly pauseMs: Ms
  /** The slowest sync of the healthy disk. */
  readonly syncMs: Ms
  readonly faults: readonly Fault[]
  /** How sealed folders are handed over; absent: they are not. */
  readonly handover?: Handover
}

interface Handover {
  /** When windows of a capture besides the daily one begin, and how long they are. */
  readonly captured: readonly [schedule: string, duration: string]
  readonly syncSchedule: string
  /** Confirmed folders that are older are removed here. */
  readonly maxAgeMs: Ms | undefined
  /** Or the oldest of them when all are larger. */
  readonly maxBytes: number | undefined
}

/** @param days how long it lasts; fractions are fine */
export function drawPlan(seed: number, days: number): Plan {
  const dice = new SeededDice(seed).fork('plan')
  const lifeMs = Math.max(days * DAY_MS, 2 * CALM_MS)
  const long = days > 2
  const room = drawRoom(new SeededDice(seed).fork('room'), long)
  const plan: Plan = {
    seed,
    lifeMs,
    streams: long ? 1 : dice.int(1, 3),
    readIntervalMs: long ? 5000 : one(dice, [500, 2000, 5000, 5000, 5000, 5000]),
    pingIntervalMs: long ? 60_000 : 10_000,
    silenceTimeoutMs: long ? 300_000 : 30_000,
    commitIntervalMs: one(dice, [100, 500, 500, 500, 3000]),
    storeSizeBytes: one(dice, long ? [100_000, 1_000_000] : [4_000, 20_000, 100_000, 1_000_000]),
    storeAgeMs: long ? one(dice, [DAY_MS, 7 * DAY_MS]) : one(dice, [600_000, 3_600_000, DAY_MS]),
    memoryBytes: one(dice, [100_000, 1_000_000, 64e6]),
    maxBytes: one(dice, [undefined, undefined, undefined, 500_000]),
    reserveBytes: one(dice, [0, 100_000, 6_000_000]),
    pauseMs: long ? 1_200_000 : one(dice, [60_000, 120_000, 300_000]),
    syncMs: one(dice, [0, 10, 200]),
    faults: drawFaults(dice, lifeMs, long ? [20, 120] : [0, 14], faultKinds),
    ...room
  }
  const handover = drawHandover(new SeededDice(seed).fork('handover'), lifeMs, long)
  if (!handover) return plan
  const faults = inOrder([...plan.faults, ...handover.faults])
  // A clock that is a day ahead makes all short windows of the day, each with records that stay.
  const diskBytes = plan.diskBytes + 1e6
  // The primary says what is elsewhere too, and nobody else.
  return { ...plan, ...handover, diskBytes, confirmMs: undefined, faults }
}

/** In a fifth of the lives there is a primary that takes what is sealed. */
function drawHandover(dice: Dice, lifeMs: Ms, long: boolean): Required<Pick<Plan, 'handover' | 'faults'>> | undefined {
  if (!dice.chance(0.2)) return undefined
  return {
    handover: {
      captured: long ? ['0 */4 * * *', '4h'] : ['*/10 * * * *', '10m'],
      syncSchedule: long ? '17 */6 * * *' : '*/5 * * * *',
      maxAgeMs: one(dice, [undefined, long ? DAY_MS : 600_000]),
      maxBytes: one(dice, [undefined, 2000])
    },
    faults: drawFaults(dice, lifeMs, long ? [10, 40] : [0, 8], farFaultKinds)
  }
}

const roomy = { diskBytes: 256e6, minFreeBytes: 0, maxAgeMs: undefined, confirmMs: undefined, visitMs: undefined }

/** In a fifth of the lives there is not room for all that comes. */
function drawRoom(dice: Dice, long: boolean): Partial<Plan> & Pick<Plan, keyof typeof roomy> {
  if (!dice.chance(0.2)) return roomy
  const reserveBytes = one(dice, [0, 100_000])
  const minFreeBytes = dice.int(100_000, 300_000)
  const room = {
    reserveBytes,
    // A month of hourly captures leaves 750 small records of what was sealed and handed over, which stay.
    diskBytes: 300_000 + (long ? 8e6 : 0) + 2 * reserveBytes + minFreeBytes + dice.int(0, 400_000),
    minFreeBytes,
    maxAgeMs: one(dice, [undefined, undefined, long ? DAY_MS : 1_200_000]),
    confirmMs: one(dice, [undefined, 60_000, 600_000]),
    visitMs: one(dice, [undefined, 300_000, 3_600_000])
  }
  return long ? room : { ...room, storeSizeBytes: one(dice, [4_000, 20_000]), storeAgeMs: 600_000 }
}

function drawFaults(
  dice: Dice,
  lifeMs: Ms,
  counts: readonly [number, number],
  kinds: Readonly<Partial<Record<FaultKind, Kind>>>
): Fault[] {
  const count = dice.int(...counts)
  const weighted = (Object.entries(kinds) as Array<[FaultKind, Kind]>).flatMap(([name, { weight }]) =>
    Array<FaultKind>(weight).fill(name)
  )
  const faults: Fault[] = []
  for (let left = count; left > 0; left--) {
    const kind = one(dice, weighted)
    const [shortest, longest] = kindOf(kind).lasts
    const forMs = Math.round(shortest * (longest / shortest) ** dice.fraction())
    const latest = lifeMs - CALM_MS - forMs - 1000
    if (latest <= 1000) continue
    faults.push({ kind, atMs: dice.int(1000, latest), forMs, chance: dice.fraction() })
    // Much of what goes wrong goes wrong because something else just did.
    if (dice.chance(0.4)) faults.push(...follower(dice, faults.at(-1)!, weighted, lifeMs))
  }
  return inOrder(faults)
}

function inOrder(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => a.atMs - b.atMs)
}

/** Another fault while one lasts, or soon after. */
function follower(dice: Dice, first: Fault, kinds: readonly FaultKind[], lifeMs: Ms): Fault[] {
  const kind = one(dice, kinds)
  const [shortest, longest] = kindOf(kind).lasts
  const forMs = Math.round(shortest * (longest / shortest) ** dice.fraction())
  const atMs = first.atMs + Math.round(dice.fraction() * (first.forMs + 30_000))
  return atMs + forMs < lifeMs - CALM_MS - 1000 ? [{ kind, atMs, forMs, chance: dice.fraction() }] : []
}

function one<T>(dice: Dice, choices: readonly T[]): T {
  return choices[dice.int(0, choices.length - 1)]!
}
