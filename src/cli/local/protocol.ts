import { lines } from '../../captures/lines.ts'
import { type ErrorCode, explain, UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'

/**
 * What a running Understudy answers on its local socket: one of these a line, as JSON. An answer ends with its result
 * or with an error; one that ends with neither was cut off.
 */
export type Message =
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly item: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly code: ErrorCode; readonly detail: string } }

/** A line holds one frame at most, of 10 MB and a third more in base64. */
const MAX_LINE_BYTES = 32 << 20

export function writeMessages(messages: readonly Message[]): string {
  return messages.map((message) => `${JSON.stringify(message)}\n`).join('')
}

/** In batches, as they come. */
export async function* readMessages(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Message[]> {
  for await (const batch of lines(bytes, MAX_LINE_BYTES)) {
    yield batch.map((line) => JSON.parse(line.bytes?.toString() ?? '') as Message)
  }
}

export function errorMessage(error: unknown): Message {
  if (error instanceof UnderstudyError) return { error: { code: error.code, detail: error.detail } }
  return { error: { code: 'UNDERSTUDY_INTERNAL', detail: error instanceof Error ? error.name : '' } }
}

/** The error that a running Understudy told of. */
export function errorOf({ code, detail }: { readonly code: string; readonly detail: string }): UnderstudyError {
  return new UnderstudyError(explain(code as ErrorCode) ? (code as ErrorCode) : 'UNDERSTUDY_INTERNAL', detail)
}

/** A frame with its payload in base64. */
export type FrameJson = Omit<Frame, 'kind' | 'payload'> & { readonly payload: string }

export function frameToJson({ kind: _, payload, ...fields }: Frame): FrameJson {
  return { ...fields, payload: payload.toString('base64') }
}

export function frameFromJson({ payload, ...fields }: FrameJson): Frame {
  return { kind: 'frame', ...fields, payload: Buffer.from(payload, 'base64') }
}
