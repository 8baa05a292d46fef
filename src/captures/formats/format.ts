import type { Frame } from '../../journal/entry.ts'
import type { Files } from '../../world/files.ts'

/** What one frame becomes in a format of lines. */
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

export interface FormatCounts {
  /** JSON messages. */
  readonly messages: number
  /** Parts of frames that are no JSON. */
  readonly others: number
  /** JSON messages that the format has no place for; 0 where it has one for all. */
  readonly leftOut: number
  readonly bytes: number
}

/** Writes frames, in order of arrival, as the files of one folder. None has its name before `finish`. */
export interface FolderWriter {
  readonly counts: FormatCounts
  /** @throws UNDERSTUDY_OUTPUT_EXISTS when a file is there already, UNDERSTUDY_BAD_STREAM_NAME */
  write(frames: readonly Frame[]): Promise<void>
  /**
   * Syncs the files and gives them their names, which it returns sorted; the caller syncs the folder.
   * @throws UNDERSTUDY_OUTPUT_EXISTS
   */
  finish(): Promise<string[]>
  /** Leaves nothing of what is not finished. */
  discard(): Promise<void>
}

/** A format as files; the folder is there. */
export type FolderFormat = (files: Files, directory: string) => FolderWriter
