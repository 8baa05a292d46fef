import type { Agent } from 'node:https'
import type { Socket } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket
} from 'node:tls'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { systemCode } from '../../errors.ts'
import type { Route } from '../sockets.ts'
import { type Leniency, LenientAgent, lenient, vet } from './dates.ts'
import { codedError } from './message.ts'

/**
 * What a request or a websocket is opened with to take this route. `signal` ends the way to the proxy, which Node
 * knows nothing of before the proxy has answered.
 */
export function takeRoute(
  url: string,
  route: Route,
  signal: AbortSignal
): { agent?: ProxyAgent | Agent; secureContext?: SecureContext } {
  const trust = route.ca ? { secureContext: trusting(route.ca) } : {}
  const secure = /^(https|wss):/i.test(url)
  const leniency = secure && route.judgeDates ? { trusted: trusted(route.ca), signal } : undefined
  const agent = route.proxy
    ? new ProxyAgent(route.proxy, { signal, highWaterMark: 1, ...trust }, leniency)
    : leniency && new LenientAgent(leniency)
  return { ...(agent && { agent }), ...trust }
}

/** Nobody there is the proxy. */
const REFUSED = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPROTO', 'ERR_TLS_CERT_ALTNAME_INVALID'])

/**
 * Goes through a proxy by CONNECT, to http and https alike. Fails with PROXY_REFUSED when the proxy won't, and with
 * HTTP_<status> when something that wants a person to log in answers in its place.
 */
class ProxyAgent extends HttpsProxyAgent<string> {
  readonly #leniency: Leniency | undefined

  constructor(proxy: string, socketOptions: object, leniency: Leniency | undefined) {
    super(proxy, socketOptions)
    this.#leniency = leniency
  }

  override async connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>): Promise<Socket> {
    let status = 0
    request.once('proxyConnect', (answer: { statusCode: number }) => {
      status = answer.statusCode
    })
    const { host = '' } = options
    // Told neither host nor name when the target is an IP address, Node would compare the certificate with "localhost".
    const identity: ConnectionOptions = {
      checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate)
    }
    const given = { ...options, ...identity, ...(this.#leniency && lenient) } as typeof options
    const socket = await super.connect(request, given).catch((error) => {
      // No code: it hung up, or its answer was not HTTP. Other codes (ENETUNREACH, …) speak of the network, or of its
      // certificate.
      const code = systemCode(error)
      const refused = code === undefined || REFUSED.has(code) || code.startsWith('ERR_SSL_')
      throw refused ? codedError('PROXY_REFUSED', 'the proxy does not answer', error) : error
    })
    if (status === 200) return this.#leniency ? vet(socket as TLSSocket, host, this.#leniency) : socket
    socket.destroy()
    const isPortal = status === 511 || (status >= 300 && status < 400)
    throw codedError(isPortal ? `HTTP_${status}` : 'PROXY_REFUSED', `the proxy answered ${status}`)
  }
}

let latest: { ca: string; context: SecureContext } | undefined

/** Made once: reading the hundreds of certificates of a system takes tens of milliseconds and megabytes. */
function trusting(ca: string): SecureContext {
  if (latest?.ca !== ca) {
    latest = { ca, context: createSecureContext({ ca: trusted(ca) }) }
  }
  return latest.context
}

function trusted(ca: string | undefined): string[] {
  if (ca === undefined) return getCACertificates('default')
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ca])]
}
