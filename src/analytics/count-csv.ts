import type { Matrix } from './count.ts'

/** A table as the primary writes it: an empty corner, the columns' names, then a row each, its name first. */
export function tableCsv(rows: readonly string[], columns: readonly string[], values: Matrix): string {
  const lines = rows.map((row, index) => [row, ...values[index]!.map((value) => value.toFixed(1))].join(','))
  return `${['', ...columns].join(',')}\n${lines.join('\n')}\n`
}

/**
 * Reads a table back; `undefined` when it is not one of these rows and columns (in any order) with whole numbers that
 * are not negative.
 */
export function readTableCsv(text: string, rows: readonly string[], columns: readonly string[]): Matrix | undefined {
  const [head, ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  const names = head?.split(',').slice(1) ?? []
  if (names.length !== columns.length || lines.length !== rows.length) return undefined
  const cells = new Map<string, Map<string, number>>()
  for (const line of lines) {
    const [row = '', ...texts] = line.split(',')
    const numbers = texts.map(readCount)
    if (numbers.length !== names.length || numbers.some(Number.isNaN)) return undefined
    cells.set(row, new Map(names.map((name, index) => [name, numbers[index]!])))
  }
  const matrix = rows.map((row) => columns.map((column) => cells.get(row)?.get(column) ?? Number.NaN))
  return matrix.flat().some(Number.isNaN) ? undefined : matrix
}

function readCount(text: string): number {
  const value = /^\d+(\.0*)?$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}
