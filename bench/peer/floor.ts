/**
 * The floor: what arrives in 500 ms is compressed, written into a file that was filled with zeros beforehand, and synced.
 * No index, no checksums, nothing to find anything again.
 *
 *     floor.ts DIRECTORY URL...
 *
 * SIGUSR2 makes it print how many messages it has taken.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { WebSocket } from 'ws'

const [directory, ...urls] = process.argv.slice(2)
const zeros = Buffer.alloc(1024 ** 2)
const sizeBytes = 64 * 1024 ** 2

const file = await open(join(directory!, 'floor'), 'w')
for (let at = 0; at < sizeBytes; at += zeros.length) await file.write(zeros, 0, zeros.length, at)
await file.sync()

let taken = 0
let waiting: Buffer[] = []
let end = 0

setInterval(() => {
  if (waiting.length === 0) return
  const block = zstdCompressSync(Buffer.concat(waiting))
  waiting = []
  const at = end
  end += block.length
  void file.write(block, 0, block.length, at).then(() => file.datasync())
}, 500)

for (const url of urls) {
  new WebSocket(url, { perMessageDeflate: false }).on('message', (data: Buffer) => {
    waiting.push(data)
    taken += 1
  })
}
process.on('SIGUSR2', () => process.stdout.write(`${taken}\n`))
