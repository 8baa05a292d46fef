import { type ErrorCode, UnderstudyError } from '../errors.ts'

/** Nobody this machine trusts has signed the certificate: a TLS interceptor, most of the time. */
const INTERCEPTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'INVALID_CA'
])

/** Somebody else answered on the relay's port: under another name, or without TLS where the relay speaks it. */
const PORTAL = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO'])

/**
 * The coded error for a failure below HTTP, or for a websocket's handshake that was answered otherwise.
 * @param code what the sockets door reports: Node's code, `TIMEOUT`, `PROXY_REFUSED`, `HTTP_<status>`
 */
export function networkError(code: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError(networkCode(code), code, { cause })
}

function networkCode(code: string): ErrorCode {
  if (code.startsWith('HTTP_')) return statusCode(Number(code.slice(5)))
  if (code === 'TIMEOUT' || code === 'ETIMEDOUT') return 'UNDERSTUDY_NETWORK_TIME_OUT'
  if (code === 'PROXY_REFUSED') return 'UNDERSTUDY_NETWORK_PROXY'
  if (INTERCEPTED.has(code)) return 'UNDERSTUDY_NETWORK_INTERCEPTED'
  if (PORTAL.has(code)) return 'UNDERSTUDY_NETWORK_PORTAL'
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS_')) return 'UNDERSTUDY_NETWORK_CERTIFICATE'
  if (code === 'MESSAGE_TOO_BIG' || code === 'BAD_FRAME') return 'UNDERSTUDY_RELAY_FRAME'
  if (code === 'ERR_INVALID_URL' || code.startsWith('HPE_')) return 'UNDERSTUDY_RELAY_UNEXPECTED'
  return 'UNDERSTUDY_RELAY_UNREACHABLE'
}

/** What a status says that the relay itself never gives. A gateway in front of a relay that is down gives 502 to 504. */
export function statusCode(status: number): ErrorCode {
  if (status === 407) return 'UNDERSTUDY_NETWORK_PROXY'
  if (status === 511 || (status >= 200 && status < 400)) return 'UNDERSTUDY_NETWORK_PORTAL'
  if (status >= 502 && status <= 504) return 'UNDERSTUDY_RELAY_UNREACHABLE'
  return 'UNDERSTUDY_RELAY_UNEXPECTED'
}
