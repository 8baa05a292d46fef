import type { Timer, Us } from '../../world/time.ts'

export interface Event extends Timer {
  readonly atUs: Us
  /** `undefined` once it is cancelled or has been taken. */
  run: (() => void) | undefined
}

interface Entry {
  readonly event: Event
  readonly order: number
}

/** What is to happen, by time and then by insertion: a binary heap. */
export class EventQueue {
  readonly #heap: Entry[] = []
  #inserted = 0

  add(atUs: Us, run: () => void): Event {
    const event: Event = {
      atUs,
      run,
      cancel: () => {
        event.run = undefined
      }
    }
    this.#rise({ event, order: this.#inserted++ })
    return event
  }

  /** The next one that is not cancelled; it stays. */
  peek(): Event | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (!first || first.event.run) return first?.event
      this.#removeFirst()
    }
  }

  /** Takes what `peek` gave. */
  take(): (() => void) | undefined {
    const event = this.peek()
    if (!event) return undefined
    this.#removeFirst()
    const { run } = event
    event.run = undefined
    return run
  }

  #rise(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.event.atUs < b.event.atUs || (a.event.atUs === b.event.atUs && a.order < b.order)
}
