import { X509Certificate } from 'node:crypto'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Ms } from '../time.ts'

/**
 * Judges a peer's chain of certificates against what is trusted, at a time, or without looking at dates. Gives Node's
 * code for what is wrong, `undefined` when nothing is.
 */
export type ChainJudge = (atMs?: Ms) => string | undefined

/** Of OpenSSL's <openssl/x509_vfy.h>. */
const NO_CHECK_TIME = 0x200000
const FAULTS: Readonly<Record<number, string>> = {
  2: 'UNABLE_TO_GET_ISSUER_CERT',
  9: 'CERT_NOT_YET_VALID',
  10: 'CERT_HAS_EXPIRED',
  18: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  19: 'SELF_SIGNED_CERT_IN_CHAIN',
  20: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  21: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  79: 'INVALID_CA'
}
/** What TLS asks of keys and signatures by default in this OpenSSL. */
const SECURITY_LEVEL = 2

/**
 * For the chain that the peer of a connection has shown. It is OpenSSL that judges, the one inside Node, whose
 * functions Node exports for addons: Node itself verifies at the present time only and reports one fault, and that of
 * the dates hides all others.
 * @param trusted certificates in PEM
 */
export async function chainJudge(socket: TLSSocket, trusted: readonly string[]): Promise<ChainJudge> {
  const openssl = await load()
  const chain = peerChain(socket)
  return (atMs) => judge(openssl, chain, trusted, atMs)
}

/** In PEM, the peer's own certificate first. */
function peerChain(socket: TLSSocket): string[] {
  const chain: string[] = []
  let next: PeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw) {
    chain.push(new X509Certificate(next.raw).toString())
    const issuer: PeerCertificate | undefined =
      'issuerCertificate' in next ? (next.issuerCertificate as PeerCertificate) : undefined
    next = issuer === next ? undefined : issuer
  }
  return chain
}

type OpenSsl = Awaited<ReturnType<typeof load>>

function judge(openssl: OpenSsl, chain: readonly string[], trusted: readonly string[], atMs?: Ms): string | undefined {
  const store = openssl.newStore()
  const context = openssl.newContext()
  const untrusted = openssl.newList()
  const shown = readAll(openssl, chain)
  const roots = readAll(openssl, trusted)
  try {
    for (const root of roots) openssl.trust(store, root)
    for (const certificate of shown) openssl.push(untrusted, certificate)
    if (openssl.initContext(context, store, shown[0] ?? null, untrusted) !== 1) return 'CERT_UNTRUSTED'
    if (openssl.setPurpose(context, 'ssl_server') !== 1) return 'CERT_UNTRUSTED'
    const terms = openssl.terms(context)
    openssl.setLevel(terms, SECURITY_LEVEL)
    if (atMs === undefined) openssl.setFlags(terms, NO_CHECK_TIME)
    else openssl.setTime(terms, Math.floor(atMs / 1000))
    if (openssl.verify(context) === 1) return undefined
    return FAULTS[openssl.error(context)] ?? 'CERT_UNTRUSTED'
  } finally {
    openssl.freeContext(context)
    openssl.freeList(untrusted)
    for (const certificate of [...shown, ...roots]) openssl.free(certificate)
    openssl.freeStore(store)
    // What is left in the queue, TLS would take for its own.
    openssl.clearErrors()
  }
}

/** Certificates that OpenSSL cannot read are left out: nothing is trusted for that. */
function readAll(openssl: OpenSsl, certificates: readonly string[]): unknown[] {
  const text = Buffer.from(certificates.join('\n'))
  const input = openssl.newInput(openssl.memory())
  const read: unknown[] = []
  try {
    openssl.write(input, text, text.length)
    for (let one = openssl.read(input, null, null, null); one; one = openssl.read(input, null, null, null))
      read.push(one)
  } finally {
    openssl.freeInput(input)
  }
  return read
}

/** Imported when first needed: koffi costs 1.5 MB. */
async function load() {
  const { default: koffi } = await import('koffi')
  const node = koffi.load(null)
  return {
    newStore: node.func('void *X509_STORE_new()'),
    trust: node.func('int X509_STORE_add_cert(void *store, void *certificate)'),
    freeStore: node.func('void X509_STORE_free(void *store)'),
    newList: node.func('void *OPENSSL_sk_new_null()'),
    push: node.func('int OPENSSL_sk_push(void *list, void *item)'),
    freeList: node.func('void OPENSSL_sk_free(void *list)'),
    memory: node.func('void *BIO_s_mem()'),
    newInput: node.func('void *BIO_new(void *kind)'),
    write: node.func('int BIO_write(void *input, const uint8_t *data, int length)'),
    freeInput: node.func('int BIO_free(void *input)'),
    read: node.func('void *PEM_read_bio_X509(void *input, void *into, void *ask, void *told)'),
    free: node.func('void X509_free(void *certificate)'),
    newContext: node.func('void *X509_STORE_CTX_new()'),
    initContext: node.func('int X509_STORE_CTX_init(void *context, void *store, void *certificate, void *untrusted)'),
    setPurpose: node.func('int X509_STORE_CTX_set_default(void *context, const char *name)'),
    terms: node.func('void *X509_STORE_CTX_get0_param(void *context)'),
    setLevel: node.func('void X509_VERIFY_PARAM_set_auth_level(void *terms, int level)'),
    setFlags: node.func('int X509_VERIFY_PARAM_set_flags(void *terms, unsigned long flags)'),
    setTime: node.func('void X509_VERIFY_PARAM_set_time(void *terms, int64_t seconds)'),
    verify: node.func('int X509_verify_cert(void *context)'),
    error: node.func('int X509_STORE_CTX_get_error(void *context)'),
    freeContext: node.func('void X509_STORE_CTX_free(void *context)'),
    clearErrors: node.func('void ERR_clear_error()')
  }
}
