import { createHash } from 'node:crypto'

/** Dashes separate the parts of a name, so only the first part, the user, may have some. */
const plainUser = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const plainPart = /^[A-Za-z0-9_][A-Za-z0-9._]{0,39}$/

/** Names from messages that were encoded, by what they became. */
export type EncodedNames = Map<string, string>

/**
 * A part of a file's name made of what a message says. Ordinary ones stay as they are; the others (anything that could
 * be a path, a hidden file, too long, or be taken for another) become `=` and 32 digits of their SHA-256, and are
 * noted. So names joined by dashes are different where one of their parts is, on a disk that tells upper from lower
 * case, and are below 255 bytes.
 */
export function safeName(name: string, kind: 'user' | 'part', encoded: EncodedNames): string {
  if ((kind === 'user' ? plainUser : plainPart).test(name)) return name
  // UTF-16, since a JSON string need not be valid Unicode
  const short = `=${createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 32)}`
  encoded.set(short, name)
  return short
}
