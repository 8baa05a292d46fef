import type { IncomingHttpHeaders } from 'node:http'

/** An error as Node's own are, with a `code`. */
export function codedError(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code })
}

/** Headers as the doors give them: names in lower case, repeated ones joined. */
export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** A body, read no further than a chunk beyond `maxBytes`; the caller ends the connection of one that is longer. */
export async function readBody(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let count = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    count += chunk.length
    if (count > maxBytes) break
  }
  return Buffer.concat(chunks)
}
