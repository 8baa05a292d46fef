import { createHash } from 'node:crypto'

/** Dashes separate the parts of a name, so only the first part, the user, may have some. */
const plainUser = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const plainPart = /^[A-Za-z0-9_][A-Za-z0-9._]{0,39}$/
/** What Windows takes for a device, whatever follows the dot. */
const device = /^(con|prn|aux|nul|com\d|lpt\d)\./i

/** Names from messages that were encoded, by what they became. */
export type EncodedNames = ReadonlyMap<string, string>

/**
 * Makes the names of the files of one folder out of what messages say. Ordinary names stay as they are; the others
 * (anything that could be a path, a hidden file, a device, too long, or be taken for another) become `=` and 32 digits
 * of their SHA-256, and are noted. So names joined by dashes are different where one of their parts is, and are below
 * 255 bytes.
 */
export class FileNames {
  private readonly tellsCase: boolean
  private readonly codes = new Map<string, string>()
  /** The plain names so far, by what they are on a disk that does not tell upper from lower case. */
  private readonly plain = { user: new Map<string, string>(), part: new Map<string, string>() }

  /** @param tellsCase whether the folder's disk certainly tells `Anna` from `anna`; else the one that comes later is encoded */
  constructor(tellsCase = false) {
    this.tellsCase = tellsCase
  }

  get encoded(): EncodedNames {
    return this.codes
  }

  of(name: string, kind: 'user' | 'part'): string {
    if (isPlain(name, kind) && this.isAlone(name, kind)) return name
    // UTF-16, since a JSON string need not be valid Unicode
    const code = `=${createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 32)}`
    this.codes.set(code, name)
    return code
  }

  private isAlone(name: string, kind: 'user' | 'part'): boolean {
    if (this.tellsCase) return true
    const folded = name.toLowerCase()
    const first = this.plain[kind].get(folded)
    if (first === undefined) this.plain[kind].set(folded, name)
    return first === undefined || first === name
  }
}

function isPlain(name: string, kind: 'user' | 'part'): boolean {
  return kind === 'user' ? plainUser.test(name) && !device.test(name) : plainPart.test(name)
}
