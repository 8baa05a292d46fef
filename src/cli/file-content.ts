import { basename, resolve } from 'node:path'
import { compressionOf, decompressed } from '../captures/compressed-file.ts'
import { counted, pieces } from '../captures/lines.ts'
import { systemCode, UnderstudyError } from '../errors.ts'
import { Progress } from './progress.ts'
import type { Call } from './terminal.ts'

/**
 * Reads a file that was named on the command line (`-`: what comes in), decompressed where its name says so.
 * @param doing what is done with it, for people who watch
 */
export async function withFileContent<T>(
  { world, terminal }: Call,
  path: string,
  doing: string,
  use: (content: AsyncIterable<Uint8Array>, progress: (bytes: number) => void) => Promise<T>
): Promise<T> {
  const bar = new Progress(terminal, `${doing} ${basename(path)}`)
  if (path === '-') return use(terminal.input, () => terminal.stop.throwIfAborted())
  const { sizeBytes = 0 } = (await world.files.info(resolve(path))) ?? {}
  const file = await world.files.open(resolve(path), 'read')
  try {
    let storedBytes = 0
    const stored = counted(pieces(file), (bytes) => {
      storedBytes = bytes
    })
    const content = undamaged(path, decompressed(world.zstd, stored, compressionOf(path)))
    return await use(content, () => bar.update(storedBytes / sizeBytes))
  } finally {
    bar.end()
    await file.close()
  }
}

async function* undamaged(path: string, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content
  } catch (error) {
    if (/^E[A-Z]+$/.test(systemCode(error) ?? '')) throw error
    throw new UnderstudyError('UNDERSTUDY_NOT_DECOMPRESSED', basename(path), { cause: error })
  }
}
