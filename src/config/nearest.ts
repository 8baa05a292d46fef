/** The one of `names` that `word` is most likely a slip of, `undefined` when none is close. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.ceil(word.length / 3) + 1
  if (word.length > 40) return undefined
  for (const name of names) {
    const distance = edits(word.toLowerCase(), name)
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[to.length]!
}
