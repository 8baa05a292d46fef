import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/status.ts'
import type { Doorkeeper } from './doorkeeper.ts'

export const COOKIE = 'understudy'
export const LOGIN = '/login'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may ask: without it, everybody where only this machine can, else who has the password. */
    readonly access?: 'everybody' | 'password'
  }
  interface FastifyRequest {
    /** Whether who asks has given the password. */
    isInside: boolean
  }
}

/** Nothing is loaded from elsewhere, nothing runs that is not a file of ours, nobody frames it, nothing is kept. */
export const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

/** What every request goes through first. */
export function guard(app: FastifyInstance, { address, names }: Config['status'], door: Doorkeeper): void {
  const local = isLoopback(address)
  app.decorateRequest('isInside', false)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    if (!isAsked(request)) return reply.code(405).header('allow', 'GET, HEAD').send('only GET and HEAD\n')
    if (!isOurs(request.headers.host, names)) return reply.code(421).send('not called by a name of its own\n')
    if (isForeign(request)) return reply.code(403).send('asked by another site\n')
    if ((await readCredentials(request, door)) === 'too many') return tooMany(reply)
    const { access } = request.routeOptions.config
    if (access === 'everybody' || request.isInside || (local && access !== 'password')) return
    if (request.headers.accept?.includes('text/html')) return reply.redirect(LOGIN, 303)
    return reply.code(401).send('the password is needed\n')
  })
}

export function tooMany(reply: FastifyReply): FastifyReply {
  return reply.code(429).header('retry-after', '3600').send('too many wrong passwords; try again in an hour\n')
}

function isAsked({ method, url }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && url === LOGIN)
}

/**
 * Whether a browser that asks under this name asks us on purpose. A page elsewhere can make its own name lead here, but
 * no address, no name without a dot and none of the local network's.
 */
function isOurs(host: string | undefined, names: readonly string[]): boolean {
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/.exec(host?.toLowerCase() ?? '') ?? []
  if (name === undefined) return false
  const isAddress = name.startsWith('[') || /^\d+(\.\d+){3}$/.test(name)
  return isAddress || !name.includes('.') || name.endsWith('.local') || names.includes(name)
}

/** A link to us is followed; what another site loads, frames or sends is not. */
function isForeign({ method, headers }: FastifyRequest): boolean {
  const { origin, host } = headers
  if (method === 'POST' && origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return true
  const [site, mode, dest] = [headers['sec-fetch-site'], headers['sec-fetch-mode'], headers['sec-fetch-dest']]
  if (site !== 'cross-site' && site !== 'same-site') return false
  return !(method === 'GET' && mode === 'navigate' && dest === 'document')
}

/** Of a browser's session, or of a program that gives the password each time. */
async function readCredentials(request: FastifyRequest, door: Doorkeeper): Promise<'too many' | undefined> {
  const { cookie = '', authorization = '' } = request.headers
  const secrets = cookie.split(';').flatMap((one) => {
    const [name, value = ''] = one.trim().split('=')
    return name === COOKIE ? [value] : []
  })
  if (secrets.some((secret) => door.isInside(secret))) request.isInside = true
  const [, basic] = /^Basic ([A-Za-z0-9+/=]{1,400})$/i.exec(authorization) ?? []
  if (basic === undefined) return undefined
  const text = Buffer.from(basic, 'base64').toString()
  const judgement = await door.judge(text.slice(text.indexOf(':') + 1), request.ip)
  if (judgement === 'right') request.isInside = true
  return judgement === 'too many' ? judgement : undefined
}
