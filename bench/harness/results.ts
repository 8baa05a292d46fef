import { short } from './report.ts'

/** What was measured, round by round. */
export class Results {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number, unit: string): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), value])
    console.log(`${name}: ${short(value)} ${unit}`)
  }

  median(name: string): number {
    const sorted = this.#values.get(name)!.toSorted((a, b) => a - b)
    const middle = sorted.length >> 1
    return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  }
}
