import { type ErrorCode, UnderstudyError } from './errors.ts'

/** Nobody this machine trusts has signed the certificate: a TLS interceptor, most of the time. */
const INTERCEPTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_CHAIN_TOO_LONG',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'UNSPECIFIED'
])

/** Somebody else answered on the relay's port: under another name, or not with TLS where the relay speaks it. */
const PORTAL = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH', 'EPROTO'])

/** What filters answer to a websocket's handshake, and the relay never does. */
const FILTER = new Set(['HTTP_403', 'HTTP_451'])

/**
 * The coded error for a failure below HTTP, or for a websocket's handshake that was answered otherwise.
 * @param code what the sockets door reports: Node's code, `TIMEOUT`, `PROXY_REFUSED`, `HTTP_<status>`
 */
export function networkError(code: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError(networkCode(code), code, { cause })
}

function networkCode(code: string): ErrorCode {
  if (FILTER.has(code)) return 'UNDERSTUDY_NETWORK_PORTAL'
  if (code.startsWith('HTTP_')) return statusCode(Number(code.slice(5)))
  if (code === 'TIMEOUT' || code === 'ETIMEDOUT') return 'UNDERSTUDY_NETWORK_TIME_OUT'
  if (code === 'PROXY_REFUSED') return 'UNDERSTUDY_NETWORK_PROXY'
  if (INTERCEPTED.has(code)) return 'UNDERSTUDY_NETWORK_INTERCEPTED'
  if (PORTAL.has(code) || code.startsWith('ERR_SSL_')) return 'UNDERSTUDY_NETWORK_PORTAL'
  if (/^(CERT_|ERROR_IN_CERT_|ERR_TLS_)/.test(code)) return 'UNDERSTUDY_NETWORK_CERTIFICATE'
  if (code === 'MESSAGE_TOO_BIG' || code === 'BAD_FRAME') return 'UNDERSTUDY_RELAY_FRAME'
  if (code === 'ERR_INVALID_URL' || code.startsWith('HPE_')) return 'UNDERSTUDY_RELAY_UNEXPECTED'
  return 'UNDERSTUDY_RELAY_UNREACHABLE'
}

/** What a status says that the relay itself never gives. A gateway in front of a relay that is down gives 502 to 504. */
export function statusCode(status: number): ErrorCode {
  if (status === 407) return 'UNDERSTUDY_NETWORK_PROXY'
  if (status === 511 || status === 451 || (status >= 200 && status < 400)) return 'UNDERSTUDY_NETWORK_PORTAL'
  if (status >= 502 && status <= 504) return 'UNDERSTUDY_RELAY_UNREACHABLE'
  return 'UNDERSTUDY_RELAY_UNEXPECTED'
}
