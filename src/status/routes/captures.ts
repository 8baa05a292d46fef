import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { MANIFEST } from '../../captures/manifest.ts'
import type { Files } from '../../world/files.ts'
import type { Parts } from '../app.ts'

const CHUNK_BYTES = 64 * 1024

/** Sealed folders, file by file. Names are looked up among those there are, and never become paths. */
export function captureRoutes(app: FastifyInstance, { files, snapshots }: Parts): void {
  const config = { access: 'password' } as const
  app.get<{ Params: Record<'capture' | 'folder' | 'file', string> }>(
    '/captures/:capture/:folder/:file',
    { config },
    async ({ params: { capture, folder, file }, method }, reply) => {
      const known = (await snapshots.sealed()).find((one) => one.capture === capture && one.folder === folder)
      const name = file === MANIFEST ? MANIFEST : known?.manifest.files.find((one) => one.name === file)?.name
      if (!known || name === undefined) return reply.callNotFound()
      const path = `${known.path}/${name}`
      const info = await files.info(path)
      if (info?.kind !== 'file') return reply.callNotFound()
      reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${capture}-${folder}-${name}"`)
        .header('content-length', info.sizeBytes)
      return reply.send(method === 'HEAD' ? undefined : Readable.from(contentOf(files, path, info.sizeBytes)))
    }
  )
}

/** Exactly so much, piece by piece, each read when the one before has been taken. */
async function* contentOf(files: Files, path: string, sizeBytes: number): AsyncGenerator<Buffer> {
  const file = await files.open(path, 'read')
  try {
    for (let position = 0; position < sizeBytes; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - position))
      const count = await file.read(chunk, position)
      if (count === 0) throw new RangeError('the file is shorter than it was')
      position += count
      yield chunk.subarray(0, count)
    }
  } finally {
    await file.close()
  }
}
