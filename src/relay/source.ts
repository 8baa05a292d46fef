/** Where a stream comes from. */
export type StreamSource =
  | {
      /** Named as on the relay, e.g. `spin30`. */
      readonly stream: string
      /** The direct way: a code is asked for at `accessUrl`, with the token. */
      readonly kind: 'code'
      readonly accessUrl: string
      /** The JWT as issued. Never printed. */
      readonly token: string
    }
  | {
      readonly stream: string
      /** A local relay host, or any plain websocket. */
      readonly kind: 'socket'
      readonly url: string
    }
