import type { Frame } from '../../journal/entry.ts'
import type { Doors } from '../compressed-file.ts'
import type { WrittenFile } from '../digests.ts'
import type { EncodedNames } from './file-name.ts'
import type { JsonLines } from './json-lines.ts'

/** What a frame is made of. */
export interface Parts {
  /** JSON messages in the frame. */
  readonly messages: number
  /** Parts of the frame that are no JSON, wherever they went. */
  readonly others: number
}

/**
 * Turns frames, one after the other in order of arrival, into the lines of files: whole lines for the stream's own file,
 * and for its `.other` file what the format has no place for.
 */
export type Format = (frame: Frame, lines: JsonLines, other: JsonLines) => Parts

/** Writes frames, in order of arrival, as the files of one folder. None has its name before `finish`. */
export interface FolderWriter {
  /** JSON messages that the format has no place for; 0 where it has one for all. */
  readonly leftOut: number
  /** What stands in the names of files for names that cannot be a file's. */
  readonly encodedNames: EncodedNames
  /**
   * @returns what each of them is made of
   * @throws UNDERSTUDY_OUTPUT_EXISTS when a file is there already, UNDERSTUDY_BAD_STREAM_NAME
   */
  write(frames: readonly Frame[]): Promise<readonly Parts[]>
  /**
   * Syncs the files and gives them their names, by which they are sorted; the caller syncs the folder.
   * @param pause awaited now and then; may throw to end it
   * @throws UNDERSTUDY_OUTPUT_EXISTS
   */
  finish(pause?: () => Promise<void>): Promise<readonly WrittenFile[]>
  /** Leaves nothing of what is not finished. */
  discard(): Promise<void>
}

/** A format as files; the folder is there. */
export type FolderFormat = (doors: Doors, directory: string) => FolderWriter
