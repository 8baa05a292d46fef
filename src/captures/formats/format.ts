import type { Frame } from '../../journal/entry.ts'

/** What one frame becomes in a format. */
export interface Encoded {
  /** Whole lines for the stream's own file. */
  readonly lines: Buffer
  /** Whole lines for the stream's `.other` file: what the format has no place for. */
  readonly other: Buffer
  /** JSON messages in the frame. */
  readonly messages: number
  /** Parts of the frame that are no JSON, wherever they went. */
  readonly others: number
}

/** Turns frames, one after the other in order of arrival, into the lines of files. */
export type Format = (frame: Frame) => Encoded
