import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where a file of bench/ is. */
export function bench(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url))
}

/** Of all files in a folder, at any depth. */
export function sizeBytes(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const files = names.map((name) => lstatSync(join(directory, name))).filter((file) => file.isFile())
  return files.reduce((sum, file) => sum + file.size, 0)
}
