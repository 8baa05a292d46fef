import fc from 'fast-check'
import type { Log } from '../log.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Files } from '../world/files.ts'
import type { World } from '../world/world.ts'
import type { Part } from './body.ts'
import { CHAIN_START, SALT_BYTES } from './chain.ts'
import type { Entry, EventEntry, Frame, JournalEvent, Origin, TimeSource } from './entry.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { type SealedBlock, sealBlocks } from './seal.ts'
import type { WriterOptions } from './writer.ts'

/** What the journal's tests share. */

export const directory = '/data'
/** 2026-11-02T08:00:00Z, when a simulation begins. */
export const START_US = Date.UTC(2026, 10, 2, 8) * 1000
export const HOUR_US = 3_600_000_000

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export function aMachine(seed = 1): Machine {
  return new Simulation(seed).machine('pi')
}

export const writerOptions: WriterOptions & { version: string } = {
  directory,
  commitIntervalMs: 500,
  storeBytes: 256e6,
  reserveBytes: 0,
  storeAgeMs: 7 * 86_400_000,
  clockTrusted: false,
  version: '1.2.3'
}

/** The same world, where some of what is asked of its files is answered in another way. */
export function withFiles(world: World, changed: Partial<Files>): World {
  const files = new Proxy(world.files, {
    get(target, name) {
      const method = Reflect.get(changed, name) ?? Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    }
  })
  return { ...world, files }
}

export function openJournal(world: World, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(world, { ...writerOptions, ...options }, silent)
}

/** A frame as it is before it has its place. */
export function told(
  stream: string,
  text: string
): { stream: string; payload: Buffer; binary: false; origin: 'relay' } {
  return { stream, payload: Buffer.from(text), binary: false, origin: 'relay' }
}

export function aFrame(fields: Partial<Frame> = {}): Frame {
  return {
    kind: 'frame',
    position: 1,
    stream: 'spin30',
    seq: 1,
    origin: 'relay',
    binary: false,
    wallUs: START_US,
    monoUs: 5_000_000,
    boot: 'b007',
    source: 'ntp',
    payload: Buffer.from('{"user":"anon"}'),
    ...fields
  }
}

export function anEvent(event: JournalEvent, fields: Partial<EventEntry> = {}): EventEntry {
  const stamp = { wallUs: START_US, monoUs: 5_000_000, boot: 'b007', source: 'ntp' } as const
  return { kind: 'event', position: 1, ...stamp, event, payload: Buffer.from(JSON.stringify(event)), ...fields }
}

/** Blocks of entries, all of one commit. */
export function seal(entries: readonly Entry[], chain: Buffer = CHAIN_START, blockBytes = 1e6): SealedBlock[] {
  const randomBytes = (count: number): Buffer => Buffer.alloc(count, entries[0]?.position)
  return [...sealBlocks(entries, chain, { blockBytes, dictionaries: new Map(), dictionary: 0, randomBytes })]
}

export async function texts(frames: AsyncIterable<readonly Frame[]>): Promise<string[]> {
  const all: string[] = []
  for await (const some of frames) all.push(...some.map(({ payload }) => payload.toString()))
  return all
}

const anOrigin = fc.constantFrom<Origin>('relay', 'own', 'import')
const aSource = fc.constantFrom<TimeSource>('none', 'ntp', 'relay', 'trusted')
const aTime = { max: 2 ** 51, min: -(2 ** 50) }
const bytes = (exactly: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: exactly, maxLength: exactly }).map((data) => Buffer.from(data).toString('hex'))

const anyFrame = fc
  .record(
    {
      kind: fc.constant('frame' as const),
      stream: fc.constantFrom('spin30', 'spin31', 'pvna02', 'é'),
      seq: fc.integer({ min: 1, max: 2 ** 40 }),
      origin: anOrigin,
      binary: fc.boolean(),
      wallUs: fc.integer(aTime),
      monoUs: fc.integer(aTime),
      boot: fc.constantFrom('b007', 'b008', ''),
      source: aSource,
      payload: fc.uint8Array({ maxLength: 90 }).map((data) => Buffer.from(data)),
      erased: fc.record({
        by: fc.string(),
        atUs: fc.maxSafeNat(),
        payloadBytes: fc.nat(),
        digest: bytes(32),
        restDigest: bytes(32)
      })
    },
    { requiredKeys: ['kind', 'stream', 'seq', 'origin', 'binary', 'wallUs', 'monoUs', 'boot', 'source', 'payload'] }
  )
  .map((frame): Frame => ({ position: 0, ...frame }))

const anyEvent = fc
  .record({
    kind: fc.constant('event' as const),
    wallUs: fc.integer(aTime),
    monoUs: fc.integer(aTime),
    boot: fc.constantFrom('b007', 'b008'),
    source: aSource,
    event: fc.oneof(
      fc.record({ event: fc.constant('clock' as const), steppedUs: fc.integer() }),
      fc.record({ event: fc.constant('heard' as const), stream: fc.string() })
    )
  })
  .map((made): EventEntry => ({ position: 0, ...made, payload: Buffer.from(JSON.stringify(made.event)) }))

const anyEntry: fc.Arbitrary<Entry> = fc.oneof({ weight: 4, arbitrary: anyFrame }, anyEvent)

/** What several commits put somewhere, with positions from 1 on. Salts are of the part, or of each entry. */
export const someParts: fc.Arbitrary<Part[]> = fc
  .array(fc.tuple(fc.array(anyEntry, { minLength: 1, maxLength: 8 }), fc.nat(255), fc.boolean()), {
    minLength: 1,
    maxLength: 4
  })
  .map((parts) => {
    let position = 0
    return parts.map(([entries, byte, each]) => {
      const placed = entries.map((entry): Entry => ({ ...entry, position: ++position }))
      const erased = (entry: Entry): boolean => entry.kind === 'frame' && entry.erased !== undefined
      const salt = (): Buffer => Buffer.alloc(SALT_BYTES, byte)
      return {
        salt: each || placed.some(erased) ? placed.map((entry) => (erased(entry) ? undefined : salt())) : salt(),
        entries: placed
      }
    })
  })
