/** `npm run bench -- receive|start|store|idle|health|page|idle-page|memory|reading|verify|seal|seal-day|analytics [--quick]`: measures Understudy beside its peers, into docs/benchmarks.md. */
import { parseArgs } from 'node:util'
import { analytics } from './analytics.ts'
import { health } from './health.ts'
import { idle } from './idle.ts'
import { idlePage } from './idle-page.ts'
import { memory } from './memory.ts'
import { page } from './page.ts'
import { reading } from './reading.ts'
import { receive } from './receive.ts'
import { seal, sealDay } from './seal.ts'
import { start } from './start.ts'
import { store } from './store.ts'
import { verify } from './verify.ts'

const benches: Record<string, (quick: boolean) => Promise<void>> = {
  receive,
  start,
  store,
  idle,
  health,
  page,
  'idle-page': idlePage,
  memory,
  reading,
  verify,
  seal,
  'seal-day': sealDay,
  analytics
}

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true })
const named = positionals.map((name) => benches[name])
if (named.length === 0 || named.includes(undefined)) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [--quick]`)
  process.exit(2)
}
for (const bench of named) await bench?.(values.quick ?? false)
process.exit()
