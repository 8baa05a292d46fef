import { ByteReader, ByteWriter } from '../journal/bytes.ts'
import { goesByTime, inOrderOfTime, type Matrix, transitions, zeros } from './count.ts'
import type { Counted, Key } from './count-message.ts'
import { nodesOf, states, subjectsOf } from './experiments.ts'
import { type Deed, StudentList } from './student-list.ts'

/** What a primary had counted of a student, at a time. */
export interface Base {
  /** ms since 1970; what was received until then is in it. */
  readonly asOfMs: number
  readonly adjacency: Matrix
  readonly feedback: Matrix
  /** The commands of its raw logs: the last that is in the matrix, and those that are not yet. */
  readonly commands: ReadonlyArray<{
    readonly node: number
    readonly tMs?: number | undefined
    readonly hardware: string
  }>
}

/** Where and when a message was received. */
export interface Arrival {
  readonly position: number
  readonly part: number
  readonly receivedMs: number
  /** It came out of its order, by an import. */
  readonly late: boolean
}

/** So many deeds are kept one by one; beyond that, more than any person does, the earlier half is only counted. */
const MOST_DEEDS = 20_000
/** So many pieces of hardware are told apart. */
const MOST_HARDWARE = 15

/**
 * What one student has done in one experiment of one course. The deeds themselves are kept, since one that comes later
 * may belong anywhere between them: by a second piece of hardware, an import, or a store that can be read again.
 */
export class StudentState {
  readonly key: Key
  #list = new StudentList()
  readonly #hardware: string[] = []
  /** What was counted before all of the list, or apart from it; most students have nothing of that. */
  #counted: Tables | undefined
  /** Until when the primary had counted; 0 where nothing of it was imported. */
  #asOfMs = 0

  constructor(key: Key) {
    this.key = key
  }

  add(counted: Counted, { position, part, receivedMs, late }: Arrival): void {
    const command = counted.kind === 'command'
    const hardware = command ? this.#numberOf(counted.hardware) : 0
    const what = command ? counted.node : { state: counted.state, subject: counted.subject }
    const tMs = command ? counted.tMs : undefined
    this.#list.add({ position, part, what, tMs, hardware, late, receivedMs })
    if (receivedMs <= this.#asOfMs) this.#leaveOutCounted()
    if (this.#list.count > MOST_DEEDS) this.#settle()
  }

  /**
   * Takes what a primary had counted for all that was received until then.
   * @returns whether it did: not when a later one was taken before
   */
  takeBase({ asOfMs, adjacency, feedback, commands }: Base): boolean {
    if (asOfMs < this.#asOfMs) return false
    this.#asOfMs = asOfMs
    this.#counted = { adjacency: copyOf(adjacency), feedback: copyOf(feedback) }
    const theirs = commands.map(({ node, tMs, hardware }, part): Deed => {
      const place = { position: 0, part, late: false, receivedMs: asOfMs }
      return { ...place, what: node, tMs, hardware: this.#numberOf(hardware) }
    })
    this.#list = StudentList.of([...theirs, ...[...this.#list].filter(({ position }) => position > 0)])
    this.#leaveOutCounted()
    return true
  }

  /** How often each command followed each other, as the primary counts it. */
  matrix(): Matrix {
    const own = transitionsOf(this.key, this.#inOrder())
    return this.#counted ? added(own, this.#counted.adjacency) : own
  }

  /** How often each state was told of each subject. */
  feedback(): Matrix {
    const { feedback } = this.#counted ?? emptyTables(this.key)
    const all = copyOf(feedback)
    for (const { what } of this.#list) if (typeof what === 'object') all[what.state]![what.subject]!++
    return all
  }

  /** As it was when a message came: without what has come since. */
  before({ position, part }: Pick<Arrival, 'position' | 'part'>): StudentState {
    const earlier = new StudentState(this.key)
    earlier.#counted = this.#counted
    const deeds = [...this.#list]
    const came = (deed: Deed): boolean => deed.position < position || (deed.position === position && deed.part < part)
    earlier.#list = StudentList.of(deeds.filter(came))
    return earlier
  }

  /** How many commands it is made of. */
  get commands(): number {
    return (this.#counted ? sum(this.#counted.adjacency) : 0) + this.#commands().length
  }

  /** When the last message was received, ms since 1970. */
  get lastMs(): number {
    let lastMs = this.#asOfMs
    for (const { receivedMs } of this.#list) lastMs = Math.max(lastMs, receivedMs)
    return lastMs
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return 1000 + this.#list.bytes
  }

  encode(): Buffer {
    const into = new ByteWriter(this.#list.bytes + 100)
    into.varint(this.#hardware.length)
    for (const name of this.#hardware) into.text(name)
    into.varint(this.#asOfMs)
    writeTable(into, this.#counted?.adjacency ?? [])
    writeTable(into, this.#counted?.feedback ?? [])
    this.#list.write(into)
    return into.view()
  }

  static decode(key: Key, bytes: Buffer): StudentState {
    const state = new StudentState(key)
    const from = new ByteReader(bytes)
    for (let left = from.varint(); left > 0; left--) state.#hardware.push(from.text())
    state.#asOfMs = from.varint()
    const before = emptyTables(key)
    const [edges, told] = [readTable(from, before.adjacency), readTable(from, before.feedback)]
    if (edges + told > 0) state.#counted = before
    state.#list = StudentList.read(from, bytes)
    return state
  }

  #commands(): Command[] {
    return [...this.#list].filter((deed): deed is Command => typeof deed.what === 'number')
  }

  #inOrder(): Command[] {
    const commands = this.#commands()
    const hardware = new Set(commands.map((deed) => deed.hardware))
    const late = commands.some((deed) => deed.late)
    return goesByTime(hardware, late) ? inOrderOfTime(commands) : commands
  }

  #numberOf(hardware: string): number {
    const known = this.#hardware.indexOf(hardware)
    if (known >= 0) return known
    return this.#hardware.length < MOST_HARDWARE ? this.#hardware.push(hardware) - 1 : MOST_HARDWARE
  }

  /**
   * What the primary had counted is in its tables; where it has left no command for the next one to follow, the last
   * that arrived here until then is that.
   */
  #leaveOutCounted(): void {
    const deeds = [...this.#list]
    const isCounted = ({ position, receivedMs }: Deed): boolean => position > 0 && receivedMs <= this.#asOfMs
    const link = deeds.some(({ position }) => position === 0)
      ? undefined
      : deeds.findLast((deed) => isCounted(deed) && typeof deed.what === 'number')
    this.#list = StudentList.of(deeds.filter((deed) => deed === link || !isCounted(deed)))
  }

  /** Counts the earlier half of the commands, and all feedback. */
  #settle(): void {
    const ordered = this.#inOrder()
    const half = ordered.length >> 1
    const { adjacency } = this.#counted ?? emptyTables(this.key)
    const own = transitionsOf(this.key, ordered.slice(0, half + 1))
    this.#counted = { adjacency: added(own, adjacency), feedback: copyOf(this.feedback()) }
    this.#list = StudentList.of(ordered.slice(half).sort((a, b) => a.position - b.position || a.part - b.part))
  }
}

interface Tables {
  readonly adjacency: number[][]
  readonly feedback: number[][]
}

function emptyTables({ exp, course }: Key): Tables {
  const size = nodesOf[exp].length
  return { adjacency: zeros(size, size), feedback: zeros(states.length, subjectsOf(exp, course).length) }
}

function copyOf(table: Matrix): number[][] {
  return table.map((row) => [...row])
}

function added(one: Matrix, other: Matrix): number[][] {
  return one.map((row, from) => row.map((count, to) => count + other[from]![to]!))
}

type Command = Deed & { readonly what: number }

function transitionsOf({ exp }: Key, commands: readonly Command[]): Matrix {
  return transitions(
    exp,
    commands.map(({ what }) => what)
  )
}

function sum(table: Matrix): number {
  return table.flat().reduce((total, one) => total + one, 0)
}

function writeTable(into: ByteWriter, table: Matrix): void {
  const cells = [...table.flat().entries()].filter(([, count]) => count > 0)
  into.varint(cells.length)
  for (const [index, count] of cells) {
    into.varint(index)
    into.varint(count)
  }
}

/** Gives how many cells there were. */
function readTable(from: ByteReader, table: number[][]): number {
  const columns = table[0]!.length
  const cells = from.varint()
  for (let left = cells; left > 0; left--) {
    const index = from.varint()
    table[Math.floor(index / columns)]![index % columns] = from.varint()
  }
  return cells
}
