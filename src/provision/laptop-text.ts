/** What somebody's editor made of a text. */
export interface LaptopText {
  /** With plain line ends, and without a byte order mark. */
  readonly text: string
  /** What was odd about the bytes, when something was. */
  readonly odd?: string
}

/**
 * The text in the bytes of a file that was written on whatever laptop: UTF-8, UTF-16 with its mark, or else Windows-1252,
 * in which every byte is something.
 */
export function laptopText(bytes: Uint8Array): LaptopText {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    const text = new TextDecoder(first === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes)
    return { text: plainLines(text), odd: 'it is saved as UTF-16 ("Unicode"), and was read so' }
  }
  try {
    return { text: plainLines(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    const text = plainLines(new TextDecoder('windows-1252').decode(bytes))
    return { text, odd: `line ${firstOddLine(bytes)} is not UTF-8; it was read as Windows-1252 ("ANSI")` }
  }
}

function plainLines(text: string): string {
  return text.replace(/\r\n?/g, '\n')
}

/** The number of the first line that is not UTF-8. */
function firstOddLine(bytes: Uint8Array): number {
  const decoded = new TextDecoder().decode(bytes)
  const before = decoded.slice(0, decoded.indexOf('\ufffd'))
  return plainLines(before).split('\n').length
}
