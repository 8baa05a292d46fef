import { isStreamName } from './stream-name.ts'

export const socketUrlForm = 'a websocket URL whose last part is the stream, like "ws://localhost:8888/ws/spin30"'

/** The stream that a plain websocket URL names by its last path part; `undefined` when it is no such URL. */
export function socketStream(url: string): string | undefined {
  // URL drops white space inside, and ws refuses a fragment: neither is what was meant.
  if (/[\s#]/.test(url) || !URL.canParse(url)) return undefined
  const { protocol, pathname } = new URL(url)
  const name = pathname.split('/').filter(Boolean).at(-1)
  return ['ws:', 'wss:'].includes(protocol) && name !== undefined && isStreamName(name) ? name : undefined
}
