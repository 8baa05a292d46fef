import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shippedGraphs } from '../../src/analytics/models.ts'
import type { Files } from '../../src/world/files.ts'

const shipped = (await readdir(shippedGraphs)).map(async (name) => ({
  path: join(shippedGraphs, name),
  content: await readFile(join(shippedGraphs, name))
}))
const graphs = await Promise.all(shipped)

/** Puts the comparison graphs that the program comes with onto a simulated disk, where they are on a real one. */
export async function installGraphs(files: Files): Promise<void> {
  await files.makeDirectory(shippedGraphs)
  for (const { path, content } of graphs) await files.writeFile(path, content)
}
