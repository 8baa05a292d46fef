import type { FastifyInstance } from 'fastify'
import type { Parts } from '../app.ts'
import { COOKIE, LOGIN, tooMany } from '../guard.ts'
import { layout } from '../pages/layout.ts'
import { loginPage } from '../pages/login.ts'

/** How one gets in, and what that page needs. */
export function loginRoutes(app: FastifyInstance, { door, assets, passwordFile }: Parts): void {
  const config = { access: 'everybody' } as const
  const page = (fault?: string): string => {
    const main = loginPage(passwordFile, fault)
    return layout({ title: 'Password', site: 'Understudy', main }, assets, LOGIN).text
  }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => {
    done(null, new URLSearchParams(body.toString()))
  })

  app.get(LOGIN, { config }, (_, reply) => reply.type('text/html').send(page()))

  app.post<{ Body: unknown }>(LOGIN, { config }, async ({ body, ip }, reply) => {
    const password = body instanceof URLSearchParams ? body.get('password') : null
    const judgement = await door.judge(password ?? '', ip)
    if (judgement === 'too many') return tooMany(reply)
    if (judgement === 'wrong') return reply.code(401).type('text/html').send(page('That is not the password.'))
    const { secret, lastsMs } = door.begin()
    const cookie = `${COOKIE}=${secret}; Path=/; Max-Age=${lastsMs / 1000}; HttpOnly; SameSite=Strict`
    return reply.header('set-cookie', cookie).redirect('/', 303)
  })

  app.get<{ Params: { name: string } }>('/assets/:name', { config }, ({ params }, reply) => {
    const asset = assets.get(params.name)
    if (!asset) return reply.callNotFound()
    return reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.content)
  })
}
