import picomatch from 'picomatch'

export const patternForm = 'a stream name or a pattern of one: letters, digits, -, _ and ? [a-z] {a,b}, at most four *'

/**
 * Whether this can be a pattern. Dots are left out because picomatch reads `{1..30}` as something else, `!` because in a
 * list it would add streams where people expect it to take some away; eight `*` can take half a minute to not match.
 */
export function isPattern(text: string): boolean {
  return /^[A-Za-z0-9_\-*?[\]{},]{1,100}$/.test(text) && text.split('*').length <= 5
}

/** Tells whether a stream's name matches at least one of the patterns. */
export function streamMatcher(patterns: readonly string[]): (stream: string) => boolean {
  return picomatch([...patterns])
}
