import { open, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Takes every byte that is free, also those that become free, until told to stop. */
export async function fill(path: string, signal: AbortSignal): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(64 * 1024, 1)
  let at = 0
  try {
    while (!signal.aborted) {
      for (let bytes = block.length; bytes >= 512; bytes /= 2) {
        for (;;) {
          const written = await file.write(block, 0, bytes, at).catch(() => undefined)
          if (!written) break
          at += written.bytesWritten
        }
      }
      await file.sync().catch(() => {})
      await sleep(50)
    }
  } finally {
    await file.close()
    await rm(path)
  }
}
