import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Programs } from '../programs.ts'

const OUTPUT_BYTES = 1024 * 1024

/** Of the output at most 1 MB each is kept. A program that takes too long is killed; its code is -1. */
export const realPrograms: Programs = {
  run(command, args, { timeoutMs }) {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      const stdout = capped(child.stdout)
      const stderr = capped(child.stderr)
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        // Its own children may live on and hold these open.
        child.stdout.destroy()
        child.stderr.destroy()
      }, timeoutMs)
      child.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      child.once('close', (code) => {
        clearTimeout(timer)
        resolve({ code: code ?? -1, stdout: stdout(), stderr: stderr() })
      })
    })
  }
}

/** Reads on to the end, so that the program is never held up, and keeps the beginning. */
function capped(stream: Readable): () => string {
  const chunks: Buffer[] = []
  let left = OUTPUT_BYTES
  stream.on('data', (chunk: Buffer) => {
    if (left > 0) chunks.push(chunk.subarray(0, left))
    left -= chunk.length
  })
  return () => Buffer.concat(chunks).toString()
}
