import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Programs } from '../programs.ts'

const OUTPUT_BYTES = 1024 * 1024

/** Of the output at most 1 MB each is kept. A program that takes too long, or is not wanted any more, is killed; its code is -1. */
export const realPrograms: Programs = {
  run(command, args, { timeoutMs, signal, onOutput }) {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      const stdout = capped(child.stdout)
      const stderr = capped(child.stderr)
      if (onOutput) child.stdout.on('data', (chunk: Buffer) => onOutput(chunk.toString()))
      const end = (): void => {
        child.kill('SIGKILL')
        // Its own children may live on and hold these open.
        child.stdout.destroy()
        child.stderr.destroy()
      }
      const timer = setTimeout(end, timeoutMs)
      signal?.addEventListener('abort', end)
      if (signal?.aborted) end()
      const ended = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
      }
      child.once('error', (error) => {
        ended()
        reject(error)
      })
      child.once('close', (code) => {
        ended()
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
