import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

const page = new URL('../../docs/benchmarks.md', import.meta.url)

/** A number with about three digits that matter; a dash when there is none. */
export function short(value: number): string {
  if (!(value > 0)) return '–'
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 10 ? 3 : 2)
}

export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** What a number was measured on. */
function machine(): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model ?? process.arch}, Linux ${release()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}

/** Prints a section and, unless it was only a quick look, puts it into docs/benchmarks.md in the place of the one of that name. */
export function publish(name: string, text: string, quick: boolean): void {
  const [from, to] = [`<!-- ${name}: written by npm run bench -- ${name} -->`, `<!-- /${name} -->`]
  const section = `${from}\n${text}\n\nMeasured on ${machine()}.\n${to}`
  console.log(`\n${text}\n`)
  if (quick) return
  const old = existsSync(page) ? readFileSync(page, 'utf8') : '# Benchmarks\n'
  const [start, end] = [old.indexOf(from), old.indexOf(to)]
  const written =
    start < 0 || end < 0 ? `${old}\n${section}\n` : old.slice(0, start) + section + old.slice(end + to.length)
  writeFileSync(page, written)
}
