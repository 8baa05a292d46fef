import { readEntries } from './block.ts'
import type { Frame } from './entry.ts'
import type { RangeQuery } from './reading.ts'
import type { Series } from './series.ts'
import type { Timeline } from './timeline.ts'

/** The frames of a period in order of position, a block's worth at a time, with their true times. */
export async function* readRange(
  series: Series,
  times: { timeline(): Promise<Timeline> },
  query: RangeQuery
): AsyncGenerator<Frame[]> {
  const {
    streams,
    fromUs = Number.MIN_SAFE_INTEGER,
    toUs = Number.MAX_SAFE_INTEGER,
    before = Number.MAX_SAFE_INTEGER,
    recorded = false
  } = query
  const timeline = await times.timeline()
  const blind = recorded ? [] : timeline.blindIn(fromUs, toUs)
  for await (const block of series.blocksOfPeriod(fromUs, toUs, blind)) {
    if (block.firstPosition >= before) return
    const frames: Frame[] = []
    for (const entry of readEntries(block, streams)) {
      if (entry.kind !== 'frame' || entry.position >= before) continue
      const frame = recorded ? entry : timeline.correct(entry)
      const atUs = frame.trueUs ?? frame.wallUs
      if (atUs >= fromUs && atUs < toUs) frames.push(frame)
    }
    if (frames.length > 0) yield frames
  }
}
