import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, type TLSSocket } from 'node:tls'

import type { HttpAnswer, Route } from '../sockets.ts'
import { type ChainJudge, chainJudge } from './chain.ts'
import { codedError } from './message.ts'

/** A connection on which dates are judged later. */
export interface Leniency {
  /** Certificates in PEM. */
  readonly trusted: readonly string[]
  readonly signal: AbortSignal
}

/** Lets the handshake end, so that `vet` can say what is wrong with the certificate. */
export const lenient = { rejectUnauthorized: false }

const DATES = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])

/** Connections whose certificates are right but for their dates by this machine's clock. */
const pending = new WeakMap<object, ChainJudge>()

/**
 * Waits for the handshake of a socket opened as `lenient`. Gives it back only when its certificate is right, or is
 * wrong in nothing but its dates: until then nothing has been sent.
 */
export async function vet(socket: TLSSocket, host: string, { trusted, signal }: Leniency): Promise<TLSSocket> {
  socket.on('error', () => {}) // it may also come while nobody looks
  try {
    await once(socket, 'secureConnect', { signal })
    if (socket.authorized) return socket
    const fault = String(socket.authorizationError)
    if (!DATES.has(fault)) throw codedError(fault, 'the certificate is not trusted')
    // The name is checked by Node only under a certificate that is right.
    const misnamed = checkServerIdentity(host, socket.getPeerCertificate())
    if (misnamed) throw misnamed
    const judge = await chainJudge(socket, trusted)
    const hidden = judge()
    if (hidden) throw codedError(hidden, 'the certificate is not trusted')
    pending.set(socket, judge)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** What is wrong with the certificate that an answer came under, by the time of the answer. */
export function faultOf(answer: IncomingMessage, { judgeDates }: Route): string | undefined {
  const judge = pending.get(answer.socket)
  if (!judge) return undefined
  const dateMs = Date.parse(answer.headers.date ?? '')
  const atMs = Number.isNaN(dateMs) ? judgeDates?.elseMs : dateMs
  if (atMs === undefined || atMs < (judgeDates?.notBeforeMs ?? atMs)) return 'CERT_NOT_YET_VALID'
  return judge(atMs)
}

/** When the certificate that an answer over TLS came under is valid; `undefined` where nobody has checked it. */
export function validityOf({ socket }: IncomingMessage): HttpAnswer['certificate'] {
  const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>
  if (!getPeerCertificate || !(authorized || pending.has(socket))) return undefined
  const { valid_from, valid_to } = getPeerCertificate.call(socket)
  return { fromMs: Date.parse(valid_from), toMs: Date.parse(valid_to) }
}

/** Opens connections without a proxy. */
export class LenientAgent extends Agent {
  readonly #leniency: Leniency

  constructor(leniency: Leniency) {
    super()
    this.#leniency = leniency
  }

  override createConnection(
    ...[options, done]: Parameters<Agent['createConnection']>
  ): ReturnType<Agent['createConnection']> {
    const socket = super.createConnection({ ...options, ...lenient }) as TLSSocket
    const failed = (error: unknown): void => done?.(error as Error, socket as Duplex)
    vet(socket, options.servername || options.host || 'localhost', this.#leniency).then(
      (vetted) => done?.(null, vetted),
      failed
    )
    return undefined
  }
}
