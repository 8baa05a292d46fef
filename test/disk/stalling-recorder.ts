/** The program on a disk that stands still for a while at each SIGUSR2: batches and syncs wait. */
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from '../../src/cli/program.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'

const STALL_MS = 5000

let stalled = Promise.resolve()
process.on('SIGUSR2', () => {
  stalled = sleep(STALL_MS)
  process.stderr.write('stalled\n')
})
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

const real = await realWorld()
const world: World = {
  ...real,
  files: {
    ...real.files,
    async open(path, how, mode) {
      const file = await real.files.open(path, how, mode)
      return { ...file, sync: () => stalled.then(() => file.sync()) }
    }
  },
  stores: {
    ...real.stores,
    async open(directory, options) {
      const store = await real.stores.open(directory, options)
      return { ...store, batch: (operations, how) => stalled.then(() => store.batch(operations, how)) }
    }
  }
}
process.exitCode = await program(process.argv.slice(2), world, {
  out: async () => {},
  err: (text) => void process.stderr.write(text),
  outIsTerminal: false,
  errIsTerminal: false,
  input: process.stdin,
  env: process.env,
  uid: process.getuid!(),
  stop: stop.signal
})
process.exit()
