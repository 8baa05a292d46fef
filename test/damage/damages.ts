import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import type { Dice } from '../../src/sim/world/dice.ts'

/** One way in which a store breaks. */
export interface Damage {
  readonly title: string
  /** Which of the store's files it happens to; one of several is chosen. */
  readonly file: RegExp
  readonly apply: (path: string, dice: Dice) => Promise<void>
}

/** The rows of what was seen to happen to LevelDB's files. */
export const damages: readonly Damage[] = [
  { title: 'CURRENT missing', file: /^CURRENT$/, apply: remove },
  { title: 'CURRENT empty', file: /^CURRENT$/, apply: (path) => truncate(path, 0) },
  { title: 'CURRENT flipped', file: /^CURRENT$/, apply: flip },
  { title: 'MANIFEST truncated', file: /^MANIFEST/, apply: shorten },
  { title: 'MANIFEST gone', file: /^MANIFEST/, apply: remove },
  { title: 'MANIFEST zeroed', file: /^MANIFEST/, apply: zero },
  { title: 'MANIFEST flipped', file: /^MANIFEST/, apply: flip },
  { title: 'log truncated', file: /\.log$/, apply: shorten },
  { title: 'log cut in half', file: /\.log$/, apply: halve },
  { title: 'log flipped', file: /\.log$/, apply: flip },
  { title: 'log gone', file: /\.log$/, apply: remove },
  { title: 'table flipped', file: /\.ldb$/, apply: flip },
  { title: 'table truncated', file: /\.ldb$/, apply: shorten },
  { title: 'table gone', file: /\.ldb$/, apply: remove },
  { title: 'table zeroed', file: /\.ldb$/, apply: zero },
  { title: 'a part of a table zeroed', file: /\.ldb$/, apply: zeroPage }
]

/** The files of a store that a damage may happen to; empty ones have nothing to lose. */
export async function targets(store: string, { file }: Damage): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(store)).sort()) {
    if (file.test(name) && (await readFile(`${store}/${name}`)).length > 0) found.push(`${store}/${name}`)
  }
  return found
}

export async function remove(path: string): Promise<void> {
  await rm(path)
}

export async function empty(path: string): Promise<void> {
  await truncate(path, 0)
}

export async function shorten(path: string, dice: Dice): Promise<void> {
  const { length } = await readFile(path)
  await truncate(path, dice.int(0, length - 1))
}

async function halve(path: string): Promise<void> {
  const { length } = await readFile(path)
  await truncate(path, Math.floor(length / 2))
}

/** One bit. */
export async function flip(path: string, dice: Dice): Promise<void> {
  const content = await readFile(path)
  content[dice.int(0, content.length - 1)]! ^= 1 << dice.int(0, 7)
  await writeFile(path, content)
}

export async function zero(path: string): Promise<void> {
  const { length } = await readFile(path)
  await writeFile(path, Buffer.alloc(length))
}

async function zeroPage(path: string, dice: Dice): Promise<void> {
  const content = await readFile(path)
  const page = Math.floor(dice.int(0, content.length - 1) / 4096) * 4096
  content.fill(0, page, Math.min(page + 4096, content.length))
  await writeFile(path, content)
}
