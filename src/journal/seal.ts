import { type Dictionaries, encodeBlock, type Span } from './block.ts'
import type { Part } from './body.ts'
import { ChainStep, deriveSalts, digestPayload, SALT_BYTES } from './chain.ts'
import type { Entry, JournalEvent } from './entry.ts'

/** A block ready to be stored. */
export interface SealedBlock extends Span {
  readonly value: Buffer
  readonly hasEvents: boolean
  /** Whether one of them tells of the clock. */
  readonly tellsTime: boolean
  readonly chainAfter: Buffer
}

const step = new ChainStep()

/** The chain after a part. `digests` are those of the erased payloads and are only asked for where there is one. */
export function chainAfter(before: Uint8Array, part: Part): Buffer {
  const { salt, entries } = part
  const derived = Buffer.isBuffer(salt) ? deriveSalts(salt, entries.length) : undefined
  step.begin(before)
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!
    if (entry.kind === 'frame' && entry.erased) {
      step.add(entry, Buffer.from(entry.erased.digest, 'hex').toString('latin1'))
      continue
    }
    const own = derived
      ? derived.subarray(index * SALT_BYTES, (index + 1) * SALT_BYTES)
      : (salt as readonly (Buffer | undefined)[])[index]
    if (!own) throw new RangeError('an entry has lost its salt')
    step.add(entry, digestPayload(own, entry.payload))
  }
  return step.end()
}

/**
 * Makes blocks of what one commit has, each of about `blockBytes` of payload at most unless one entry alone is larger.
 * @param randomBytes gives each part its salt
 */
export function* sealBlocks(
  entries: readonly Entry[],
  chain: Buffer,
  options: {
    readonly blockBytes: number
    readonly dictionaries: Dictionaries
    readonly dictionary: number
    readonly randomBytes: (count: number) => Buffer
  }
): Generator<SealedBlock> {
  let before = chain
  for (const group of groups(entries, options.blockBytes)) {
    const part: Part = { salt: options.randomBytes(SALT_BYTES), entries: group }
    const after = chainAfter(before, part)
    const block = encodeBlock([part], before, after, options.dictionaries, options.dictionary)
    yield { ...block, ...marksOf(group), chainAfter: after }
    before = after
  }
}

/** What a store notes of a block beside it, see store.ts. */
export function marksOf(entries: readonly Entry[]): Pick<SealedBlock, 'hasEvents' | 'tellsTime'> {
  let hasEvents = false
  let tellsTime = false
  for (const entry of entries) {
    if (entry.kind !== 'event') continue
    hasEvents = true
    tellsTime ||= tellTime.has(entry.event.event)
  }
  return { hasEvents, tellsTime }
}

/**
 * Where the clock's relation to monotonic time may have changed, and where a boot may have begun or ended; and what is
 * known of the clock of imported frames.
 */
const tellTime: ReadonlySet<string> = new Set<JournalEvent['event']>(['start', 'standing', 'clock', 'imported', 'stop'])

function* groups(entries: readonly Entry[], blockBytes: number): Generator<readonly Entry[]> {
  let start = 0
  let bytes = 0
  for (let index = 0; index < entries.length; index++) {
    const length = entries[index]!.payload.length
    if (index > start && bytes + length > blockBytes) {
      yield entries.slice(start, index)
      start = index
      bytes = 0
    }
    bytes += length
  }
  if (start < entries.length) yield entries.slice(start)
}
