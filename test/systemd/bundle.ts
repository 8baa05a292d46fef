import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { TestProject } from 'vitest/node'
import { ran } from '../sync/rig.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that `scripts/bundle.mjs` has made. */
    bundle: string
  }
}

/** What is shipped, made once for all files of the suite. */
export default async function (project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(`${tmpdir()}/understudy-bundle-`)
  const bundle = `${folder}/understudy`
  const script = new URL('../../scripts/bundle.mjs', import.meta.url).pathname
  const { code, err } = await ran(process.execPath, [script, bundle])
  if (code !== 0) throw new Error(`the bundle could not be made: ${err}`)
  project.provide('bundle', bundle)
  return () => rm(folder, { recursive: true })
}
