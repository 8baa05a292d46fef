import { realWorld } from '../world/real.ts'
import { program } from './program.ts'

/** The program as a process: the only file that knows of one. */

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // who asks twice does not want to wait
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  })
}
// a pipe that nobody reads any more is told by the write that fails
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const out = (data: Uint8Array | string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => (error ? reject(error) : resolve()))
  })

const code = await program(process.argv.slice(2), await realWorld(), {
  out,
  err: (text) => void process.stderr.write(text),
  outIsTerminal: process.stdout.isTTY ?? false,
  errIsTerminal: process.stderr.isTTY ?? false,
  input: process.stdin,
  env: process.env,
  uid: process.getuid?.() ?? 0,
  stop: stop.signal
})
process.stdout.write('', () => process.exit(code))
