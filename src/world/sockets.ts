import type { RequestListener } from 'node:http'
import type { Ms } from './time.ts'

export interface Route {
  /** An HTTP proxy, e.g. `http://proxy.example:3128`. */
  readonly proxy?: string
  /** Certificates in PEM that are trusted besides the system's. */
  readonly ca?: string
  /**
   * Set where this machine does not know the time: a certificate whose only fault is its dates is judged at the answer's
   * own `Date`, or at `elseMs` where the answer has none, as the handshake of a websocket may. Everything else of it is
   * checked before anything is sent; an answer under a certificate that was not valid then, or that tells a time before
   * `notBeforeMs`, is not used.
   */
  readonly judgeDates?: { readonly notBeforeMs?: Ms; readonly elseMs?: Ms | undefined }
}

export interface HttpRequest extends Route {
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: Ms
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** At most 64 kB; the rest is cut off. */
  readonly body: string
  /** When the server's certificate is valid. Only where it came over TLS that was checked. */
  readonly certificate?: { readonly fromMs: Ms; readonly toMs: Ms }
}

/** What a websocket reports. After `closed` nothing follows. */
export interface WebSocketEvents {
  /** The handshake is done. `headers` are the answer's, names in lower case. */
  opened(headers: Readonly<Record<string, string>>): void
  /** One whole frame (message in RFC 6455's words). The buffer is the receiver's to keep. */
  message(payload: Buffer, binary: boolean): void
  /** More of a frame has come that is not whole yet: `partialBytes` has grown. */
  part?(): void
  /** The peer's ping; its pong has been sent. */
  ping(): void
  pong(payload: Buffer): void
  /**
   * Comes once, whatever ended it. `code` as in RFC 6455 (1006: no close frame). `error` when there was one: Node's
   * code (ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED, …), or `HTTP_<status>` when the handshake was answered otherwise
   * than by 101, `MESSAGE_TOO_BIG`, `BAD_FRAME`, `PROXY_REFUSED` or `TIMEOUT`.
   */
  closed(code: number, error?: string): void
}

export interface WebSocketOptions extends Route {
  readonly handshakeTimeoutMs: Ms
  /** A larger frame ends the connection. */
  readonly maxPayloadBytes: number
}

export interface WebSocketConnection {
  send(payload: Uint8Array | string): void
  ping(payload: Uint8Array): void
  /** Stops reading; what has been read but is not a whole frame stays. */
  pause(): void
  resume(): void
  /** Bytes read from the network that belong to a frame not yet whole; may be short by one read (64 kB). */
  partialBytes(): number
  /** Ends it at once, without waiting for the peer. `closed` follows. */
  terminate(): void
}

/** A request on the local (unix) socket. */
export interface LocalRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: AsyncIterable<Uint8Array>
  /** Aborted when the asker has gone. */
  readonly signal: AbortSignal
}

export interface LocalAnswer {
  readonly status: number
  /** Written with back pressure; a failure in it ends the connection unfinished, which the asker sees as an error. */
  readonly body: string | AsyncIterable<Uint8Array | string>
}

/** A websocket as its server sees it. */
export interface ServerConnection {
  /** The request's path with its query, e.g. `/session/spin30-log?code=…`. */
  readonly url: string
  send(payload: Uint8Array | string): void
  ping(payload: Uint8Array): void
  /** Bytes handed to `send` that the peer has not taken yet, as far as this side can know. */
  unsentBytes(): number
  /** Stops answering and reading without closing anything: a half-open connection, for tests. */
  freeze(): void
  /** Ends it without a close frame. */
  terminate(): void
}

export interface ServerHandlers {
  /** Answers an HTTP request; `undefined` resets the connection without an answer. */
  request(request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }): Promise<(Omit<HttpAnswer, 'headers'> & { headers?: Readonly<Record<string, string>> }) | undefined>
  /** A websocket was opened; whatever it asked for, it got 101. Gives what is to be told of it. */
  connected(connection: ServerConnection): {
    message(payload: Buffer, binary: boolean): void
    pong(): void
    closed(): void
    /** The peer's ping. Its pong is sent only when this gives true. */
    ping(): boolean
  }
}

/** Where HTTP is served, and what those who ask may take. Whoever takes more is cut off. */
export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Of a request's first line and headers together. */
  readonly headerBytes: number
  /** So long a request's headers may take to come, and so long all of it. */
  readonly headersMs: Ms
  readonly requestMs: Ms
  /** So long nothing may move on a connection. */
  readonly idleMs: Ms
  /** More connections than so many are closed at once. */
  readonly connections: number
}

/** Answers requests as Node hands them over. */
export type HttpListener = RequestListener

export interface Sockets {
  /**
   * Rejects with Node's error (its `code`) when no answer comes; `code` is TIMEOUT when it takes too long,
   * PROXY_REFUSED when the proxy is not there or won't.
   */
  request(url: string, request: HttpRequest): Promise<HttpAnswer>
  /** Serves HTTP and websockets; port 0 takes a free one. `close` ends every connection at once. */
  serve(
    options: { host: string; port: number; tls?: { key: string; cert: string } },
    handlers: ServerHandlers
  ): Promise<{ port: number; close(): Promise<void> }>
  /**
   * Serves HTTP with Node's own requests and answers, for a framework. Rejects with Node's error (its `code`:
   * EADDRINUSE, EADDRNOTAVAIL, EACCES). `close` ends every connection at once.
   */
  listen(options: ListenOptions, listener: HttpListener): Promise<{ port: number; close(): Promise<void> }>
  /** Opens a websocket. Nothing is reported before it has returned. */
  connect(url: string, options: WebSocketOptions, events: WebSocketEvents): WebSocketConnection
  /**
   * Serves HTTP on a unix socket at `path`, owner and group only, replacing a stale one that nobody listens on.
   * Resolves when listening; `close` ends connections too.
   * @throws UNDERSTUDY_ALREADY_RUNNING when somebody listens there
   */
  serveLocal(path: string, answer: (request: LocalRequest) => Promise<LocalAnswer>): Promise<{ close(): Promise<void> }>
  /**
   * Asks such a server. Rejects with code ENOENT or ECONNREFUSED when nobody listens.
   * `body` is what it answers, as it comes.
   */
  askLocal(
    path: string,
    request: { method: 'GET' | 'POST'; path: string; body?: AsyncIterable<Uint8Array> }
  ): Promise<{ status: number; body: AsyncIterable<Buffer> }>
}
