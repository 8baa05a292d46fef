/**
 * The number of the line where a place of a TOML text stands, or the nearest thing above it: `relay.read_interval`, `capture,
 * entry 2.name`. For people to look there: what is written in an unusual way may not be found.
 */
export function lineOf(text: string, place: string): number | undefined {
  const path = place.split(/, entry |\./)
  const tables = new Map<string, number>()
  let table: string[] = []
  let best: { line: number; depth: number } | undefined
  const found = (names: readonly string[], line: number): void => {
    const depth = names.length
    if (depth > (best?.depth ?? 0) && names.every((name, at) => name === path[at])) best = { line, depth }
  }
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line)
    if (header) {
      table = namesIn(header[2]!)
      if (header[1] === '[[') {
        const count = (tables.get(table.join('.')) ?? 0) + 1
        tables.set(table.join('.'), count)
        table.push(String(count))
      }
      found(table, index + 1)
      continue
    }
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(line)
    if (key) found([...table, ...namesIn(key[1]!)], index + 1)
  }
  return best?.line
}

function namesIn(dotted: string): string[] {
  return dotted.split('.').map((name) => name.trim().replace(/^["']|["']$/g, ''))
}
