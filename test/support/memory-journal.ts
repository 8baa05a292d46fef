import type { ImportedFrame, ImportTarget } from '../../src/captures/import.ts'
import type { Frame } from '../../src/journal/entry.ts'
import type { RangeQuery } from '../../src/journal/reading.ts'

/** A journal in memory, as far as exports and imports need one. */
export class MemoryJournal implements ImportTarget {
  readonly frames: Frame[] = []
  readonly firstPosition = 1
  readonly batch: number

  constructor(frames: readonly ImportedFrame[] = [], batch = 3) {
    this.batch = batch
    this.add(frames)
  }

  get nextPosition(): number {
    return this.frames.length + 1
  }

  async append(frames: readonly ImportedFrame[]): Promise<void> {
    this.add(frames)
  }

  async commit(): Promise<void> {}

  async streams(): Promise<string[]> {
    return [...new Set(this.frames.map((frame) => frame.stream))].sort()
  }

  async *range(query: RangeQuery): AsyncGenerator<Frame[]> {
    const { streams, fromUs = 0, toUs = Number.MAX_SAFE_INTEGER, before = Number.MAX_SAFE_INTEGER } = query
    const found = this.frames.filter(
      (frame) =>
        (streams?.has(frame.stream) ?? true) && frame.wallUs >= fromUs && frame.wallUs < toUs && frame.position < before
    )
    for (let start = 0; start < found.length; start += this.batch) yield found.slice(start, start + this.batch)
  }

  private add(frames: readonly ImportedFrame[]): void {
    for (const frame of frames) {
      const seq = this.frames.filter(({ stream }) => stream === frame.stream).length + 1
      this.frames.push({ kind: 'frame', position: this.nextPosition, seq, ...frame })
    }
  }
}

export const START_US = 1_700_000_000_000_000

export function frame(fields: Partial<ImportedFrame> & { text?: string } = {}): ImportedFrame {
  const { text = '{}', ...rest } = fields
  return {
    stream: 'spin30',
    origin: 'relay',
    wallUs: START_US,
    monoUs: 5_000_000,
    boot: 'b007',
    source: 'ntp',
    binary: false,
    payload: Buffer.from(text),
    ...rest
  }
}
