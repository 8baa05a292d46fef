import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { Models } from '../analytics/models.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { Files } from '../world/files.ts'
import type { Assets } from './assets.ts'
import type { Doorkeeper } from './doorkeeper.ts'
import { guard, headers } from './guard.ts'
import type { Live } from './live.ts'
import { apiRoutes } from './routes/api.ts'
import { captureRoutes } from './routes/captures.ts'
import { loginRoutes } from './routes/login.ts'
import { pageRoutes } from './routes/pages.ts'
import type { Snapshots } from './snapshot.ts'
import type { StatusSources } from './sources.ts'

/** The only body there is holds a password. */
const BODY_BYTES = 1024

/** What answers are made of. */
export interface Parts {
  readonly config: Config
  /** Where the password is kept. */
  readonly passwordFile: string
  readonly files: Files
  readonly sources: StatusSources
  readonly snapshots: Snapshots
  readonly live: Live
  readonly door: Doorkeeper
  readonly assets: Assets
  readonly models: () => Promise<Models>
  readonly log: Log
}

/** Every route there is. */
export function buildApp(parts: Parts): FastifyInstance {
  const { config, door, log } = parts
  const app = fastify({
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: 255 },
    // What compiles schemas is 3 MB of memory, and not loaded for none.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    // Their own words repeat what was asked for, here and below.
    frameworkErrors: (_error, _request, reply: FastifyReply) => notUnderstood(reply.headers(headers).code(400))
  })
  app.setNotFoundHandler((_, reply) => reply.code(404).type('text/plain').send('there is nothing here\n'))
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const code = error.statusCode ?? 500
    if (code < 500) return notUnderstood(reply.code(code))
    log.error({ err: error }, 'a page could not be made')
    return reply.code(code).type('text/plain').send('it failed; the log says why\n')
  })
  guard(app, config.status, door)
  loginRoutes(app, parts)
  pageRoutes(app, parts)
  apiRoutes(app, parts)
  captureRoutes(app, parts)
  return app
}

function noSchemas(): never {
  throw new Error('no route has a schema')
}

function notUnderstood(reply: FastifyReply): FastifyReply {
  return reply.type('text/plain').send('this cannot be asked\n')
}
