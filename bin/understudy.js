#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=1
/**
 * The executable. Plain JavaScript, since an older Node cannot even parse what it starts: a checkout's source as it is
 * written, or the compiled program where it is shipped without its source.
 *
 * The flag bounds what V8 keeps for short-lived objects (in MB): it saves 8 to 16 MB for a few percent of CPU. The
 * variable bounds what glibc keeps for its threads' freed memory, each its own otherwise: it saves 25 MB while a day is sealed.
 */
import { existsSync } from 'node:fs'

const source = new URL('../src/cli/main.ts', import.meta.url)
const compiled = new URL('../dist/cli/main.js', import.meta.url)

if (Number.parseInt(process.versions.node, 10) < 24) {
  const remedy = 'call it by scripts/understudy, or install Node 24'
  console.error(`understudy: UNDERSTUDY_NODE_TOO_OLD: needs Node 24: this is ${process.version} (${remedy})`)
  process.exitCode = 2
} else {
  await import(existsSync(source) ? source : compiled)
}
