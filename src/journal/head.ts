import { crc32 } from 'node:zlib'
import type { Files, OpenFile } from '../world/files.ts'
import { InTurn } from '../world/in-turn.ts'
import type { Us } from '../world/time.ts'
import { readU64, writeU64 } from './bytes.ts'
import type { Position } from './entry.ts'
import type { StreamState } from './stream-state.ts'
import { type DiskFailure, isWithoutRoom } from './without-room.ts'

/*
 * The head is a small preallocated file outside LevelDB with two slots. What was synced last stands in one and is left
 * alone until the other has been synced, so that a cut never takes both. It repeats where the journal ends, and is the proof of listening while nothing arrives.
 *
 * A slot begins with a header that every release can read: at 0 'UNDERSTUDY HEAD\n', 16 u32 version of what follows,
 * 20 u64 position after the last entry. Then, in version 1: 28 u64 generation, 36 u32 length of the JSON, 40 u32 CRC-32
 * of bytes 0 to 39 and the JSON, 44 the JSON (`HeadState`). Numbers are big-endian.
 */
const MAGIC = Buffer.from('UNDERSTUDY HEAD\n')
const VERSION = 1
const VERSION_AT = 16
const POSITION_AT = 20
const JSON_AT = 44
/** Room for about 600 streams; a larger head gets a file with larger slots. */
const SLOT_BYTES = 64 * 1024

/** What the journal knew when the head was written. */
export interface HeadState {
  /** The position after the last committed entry. */
  readonly nextPosition: Position
  /** The chain there, in hex. */
  readonly chain: string
  /** The boot it was written in, and when, in monotonic time. */
  readonly boot: string
  readonly aliveUs: Us
  /** Whether more was to follow: false after a clean end. */
  readonly running: boolean
  /** The number before the first of a stream that is not among these; more than 0 after damage. */
  readonly firstSeq: number
  readonly streams: Readonly<Record<string, StreamState>>
  /** See `KnownTime`. */
  readonly clockKnown?: boolean | undefined
  readonly certainUs?: Us | undefined
  /** Set while nothing could be committed: why, and until when there was a process that heard. */
  readonly failing?: { readonly cause: DiskFailure; readonly aliveUs: Us }
}

/** The head file, open for writing. */
export class Head {
  readonly #path: string
  readonly #files: Files
  #file: OpenFile
  #slotBytes: number
  /** Of what was written last, and of what is known to be on the disk. */
  #generation: number
  #syncedGeneration: number
  /** Set when a write or sync has failed: what the file holds, and whether it ever works again, nobody knows. */
  #broken = false
  /** Two writes at once would mix in one slot. */
  readonly #writing = new InTurn()
  /** Where the next one goes: not where the last one synced stands, which a cut could otherwise take with it. */
  #slot: number

  private constructor(files: Files, path: string, file: OpenFile, slotBytes: number, newest?: Slot) {
    this.#files = files
    this.#path = path
    this.#file = file
    this.#slotBytes = slotBytes
    this.#generation = newest?.generation ?? 0
    this.#syncedGeneration = this.#generation
    this.#slot = newest?.index === 0 ? 1 : 0
  }

  /** Opens it, or makes it when it is missing. What it held is `readHead`'s to tell. */
  static async open(files: Files, path: string): Promise<Head> {
    const info = await files.info(path)
    if (info && info.sizeBytes >= 2 * SLOT_BYTES) {
      const [newest] = await readSlots(files, path)
      const file = await files.open(path, 'edit')
      await file.sync()
      return new Head(files, path, file, Math.floor(info.sizeBytes / 2), newest)
    }
    return new Head(files, path, await preallocate(files, path, SLOT_BYTES), SLOT_BYTES)
  }

  /** Writes it; on the disk only after `sync`. After a failure the file is made anew. */
  write(state: HeadState): Promise<void> {
    return this.#writing.run(() => this.#write(state))
  }

  async #write(state: HeadState): Promise<void> {
    const slot = makeSlot(++this.#generation, state)
    if (slot.length > this.#slotBytes) return this.#replace(slot)
    if (this.#broken) {
      try {
        return await this.#replace(slot)
      } catch (error) {
        // Where there is no room for two, this one goes on: its other slot stays whole.
        if (!isWithoutRoom(error)) throw error
      }
    }
    await this.#try(() => this.#file.write(slot, this.#slot * this.#slotBytes))
  }

  async sync(): Promise<void> {
    await this.#writing.idle()
    const generation = this.#generation
    if (generation === this.#syncedGeneration) return
    await this.#try(() => this.#file.sync())
    // What was written meanwhile is in the same slot, and perhaps not on the disk.
    if (generation !== this.#generation) return
    this.#syncedGeneration = generation
    this.#slot = 1 - this.#slot
  }

  async #replace(slot: Buffer): Promise<void> {
    const slotBytes = slot.length <= this.#slotBytes ? this.#slotBytes : 2 * slot.length
    const file = await preallocate(this.#files, this.#path, slotBytes, slot)
    await this.#file.close().catch(() => {})
    this.#file = file
    this.#slotBytes = slotBytes
    this.#slot = 1
    this.#syncedGeneration = this.#generation
    this.#broken = false
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#broken = true
      throw error
    }
  }

  async close(): Promise<void> {
    try {
      await this.sync()
    } finally {
      await this.#file.close()
    }
  }
}

/** The newest whole slot, or `undefined` when there is none. */
export async function readHead(files: Files, path: string): Promise<HeadState | undefined> {
  const [newest] = await readSlots(files, path)
  return newest?.state
}

/**
 * Where the journal ended by a head that a newer release has written, `undefined` where none has. The newer of two slots
 * need not be the newer release's: so this may lie behind what `readHead` gives.
 */
export async function readNewerHead(files: Files, path: string): Promise<Position | undefined> {
  if (!(await files.info(path))) return undefined
  const positions = slotsOf(await files.readFile(path)).flatMap((slot) => {
    if (!isSlot(slot) || slot.readUInt32BE(VERSION_AT) <= VERSION) return []
    const position = readU64(slot, POSITION_AT)
    return Number.isSafeInteger(position) ? [position] : []
  })
  return positions.length === 0 ? undefined : Math.max(...positions)
}

interface Slot {
  readonly index: number
  readonly generation: number
  readonly state: HeadState
}

/** The whole ones, the newest first. */
async function readSlots(files: Files, path: string): Promise<Slot[]> {
  if (!(await files.info(path))) return []
  return slotsOf(await files.readFile(path))
    .flatMap((slot, index) => {
      const read = readSlot(slot)
      return read ? [{ index, ...read }] : []
    })
    .sort((a, b) => b.generation - a.generation)
}

function slotsOf(content: Buffer): Buffer[] {
  const half = Math.floor(content.length / 2)
  return [content.subarray(0, half), content.subarray(half)]
}

function isSlot(slot: Buffer): boolean {
  return slot.length >= JSON_AT && slot.subarray(0, MAGIC.length).equals(MAGIC)
}

function makeSlot(generation: number, state: HeadState): Buffer {
  const json = Buffer.from(JSON.stringify(state))
  const slot = Buffer.alloc(JSON_AT + json.length)
  MAGIC.copy(slot)
  slot.writeUInt32BE(VERSION, VERSION_AT)
  writeU64(slot, state.nextPosition, POSITION_AT)
  writeU64(slot, generation, 28)
  slot.writeUInt32BE(json.length, 36)
  json.copy(slot, JSON_AT)
  slot.writeUInt32BE(crc32(json, crc32(slot.subarray(0, 40))), 40)
  return slot
}

function readSlot(slot: Buffer): Omit<Slot, 'index'> | undefined {
  if (!isSlot(slot) || slot.readUInt32BE(VERSION_AT) !== VERSION) return
  const json = slot.subarray(JSON_AT, JSON_AT + slot.readUInt32BE(36))
  if (slot.readUInt32BE(40) !== crc32(json, crc32(slot.subarray(0, 40)))) return
  return { generation: readU64(slot, 28), state: JSON.parse(json.toString('utf8')) as HeadState }
}

/**
 * In the place of what is there, which stays until the new one is whole. With zeros really written: only then does
 * overwriting cost no journal write of the file system.
 */
async function preallocate(files: Files, path: string, slotBytes: number, first?: Buffer): Promise<OpenFile> {
  const made = `${path}.new`
  const file = await files.open(made, 'create', 0o640)
  try {
    await file.write(Buffer.alloc(2 * slotBytes), 0)
    if (first) await file.write(first, 0)
    await file.sync()
    await files.rename(made, path)
    await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
    return file
  } catch (error) {
    await file.close().catch(() => {})
    // It would take the room that a small disk needs to make room.
    await files.remove(made).catch(() => {})
    throw error
  }
}
