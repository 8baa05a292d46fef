import { dictionary1 } from './dictionary-1.ts'

/**
 * zstd dictionaries, by number. A commit at a person's pace is one or two messages; alone these compress to little less
 * than they are, with a dictionary of what all messages share to a fraction. A store keeps the ones it was made with; a
 * number is never given another content.
 */
export const dictionaries: ReadonlyMap<number, Buffer> = new Map([[1, dictionary1]])

/** The one that new blocks use. */
export const newestDictionary = 1
