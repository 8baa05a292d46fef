/**
 * Whether bytes hold any of some texts. Looks at the last byte first where the shortest of them would end, and goes on
 * by as much as that byte allows (Horspool), so that most bytes are never looked at: a few times faster than
 * `includes`, which prepares its text anew in each call.
 */
export function anyOf(texts: readonly string[]): (bytes: Uint8Array) => boolean {
  const needles = texts.map((text) => Buffer.from(text))
  const last = Math.min(...needles.map(({ length }) => length)) - 1
  const steps = new Uint8Array(256).fill(Math.min(last + 1, 255))
  /** What one of them has at `last`. */
  const isLast = new Uint8Array(256)
  for (const needle of needles) {
    for (let index = 0; index < last; index++) steps[needle[index]!] = Math.min(steps[needle[index]!]!, last - index)
    isLast[needle[last]!] = 1
  }
  const isAnyAt = (bytes: Uint8Array, start: number): boolean => {
    for (const needle of needles) if (isAt(bytes, start, needle)) return true
    return false
  }
  return (bytes) => {
    const { length } = bytes
    for (let end = last; end < length; ) {
      const byte = bytes[end]!
      if (isLast[byte] === 1 && isAnyAt(bytes, end - last)) return true
      end += steps[byte]!
    }
    return false
  }
}

function isAt(bytes: Uint8Array, start: number, needle: Uint8Array): boolean {
  for (let index = 0; index < needle.length; index++) if (bytes[start + index] !== needle[index]) return false
  return true
}
