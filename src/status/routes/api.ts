import type { FastifyInstance, FastifyReply } from 'fastify'
import type { StreamCoverage } from '../../journal/reading.ts'
import type { Parts } from '../app.ts'
import { metricsText } from '../metrics.ts'
import { DAY_MS } from '../snapshot.ts'
import { supportBundle } from '../support.ts'

const LONGEST_MS = 366 * DAY_MS

/** What programs read. docs/status.md says what each field is. */
export function apiRoutes(app: FastifyInstance, { config, sources, snapshots, live }: Parts): void {
  app.get('/healthz', { config: { access: 'everybody' } }, (_, reply) => reply.type('text/plain').send('ok\n'))

  app.get('/readyz', { config: { access: 'everybody' } }, (_, reply) => {
    const { open, failure } = sources.report().journal
    const ready = open && failure === undefined
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'nothing can be recorded\n')
  })

  app.get('/api/status', async () => {
    const report = sources.report()
    return { format: 1, verdict: sources.verdict(report), report }
  })

  app.get('/metrics', async (_, reply) => {
    const report = sources.report()
    const { type, text } = await metricsText(report, sources.verdict(report))
    return reply.type(type).send(text)
  })

  app.get<{ Querystring: Record<string, string | string[] | undefined> }>('/api/coverage', async ({ query }, reply) => {
    const { streams, nowMs } = sources.report()
    const known = streams.map(({ stream }) => stream)
    const named = [query['stream'] ?? known].flat()
    const toMs = instant(query['to'], nowMs)
    const fromMs = instant(query['from'], toMs - DAY_MS)
    const fits = fromMs <= toMs && toMs - fromMs <= LONGEST_MS && named.every((name) => known.includes(name))
    if (!fits) return notUnderstood(reply)
    const found = await snapshots.coverage({ streams: [...new Set(named)], fromMs, toMs })
    return { format: 1, streams: found.map(coverageJson) }
  })

  app.get('/api/events', { exposeHeadRoute: false }, (_, reply) => {
    if (live.isFull) return reply.code(503).header('retry-after', '60').send('too many are listening\n')
    const { raw } = reply.hijack()
    // It ends with its connection: nothing else comes on it, and pieces need no lengths.
    raw.useChunkedEncodingByDefault = false
    raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), 'content-type': 'text/event-stream' })
    raw.flushHeaders()
    // Straight to the connection: a response does as much again for each write. It has none yet where others come first.
    live.listen(raw.socket ?? raw)
    return reply
  })

  app.get('/support', { config: { access: 'password' } }, async (_, reply) => {
    const snapshot = await snapshots.take()
    const { nowMs, streams, site, version } = snapshot.report
    const names = streams.map(({ stream }) => stream)
    const week = await snapshots.coverage({ streams: names, fromMs: nowMs - 7 * DAY_MS, toMs: nowMs })
    const versions = { understudy: version, ...sources.versions }
    const name = `understudy-support-${site}-${new Date(nowMs).toISOString().slice(0, 10)}.json`
    return reply
      .type('application/json')
      .header('content-disposition', `attachment; filename="${name}"`)
      .send(supportBundle({ config, snapshot, week, logged: sources.logged(), versions }))
  })
}

function coverageJson({ stream, fromUs, toUs, heardUs, share, rest }: StreamCoverage): object {
  const ms = (us: number): number => us / 1000
  return {
    stream,
    fromMs: ms(fromUs),
    toMs: ms(toUs),
    heardMs: ms(heardUs),
    share,
    rest: rest.map(({ fromUs: from, toUs: to, ...why }) => ({ fromMs: ms(from), toMs: ms(to), ...why }))
  }
}

/** ISO 8601, or ms since 1970; NaN for what is neither. */
function instant(text: string | string[] | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (typeof text !== 'string') return Number.NaN
  return /^\d{1,15}$/.test(text) ? Number(text) : /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
}

function notUnderstood(reply: FastifyReply): FastifyReply {
  return reply
    .code(400)
    .type('text/plain')
    .send('expected: stream (names), from and to (ISO 8601), at most 366 days apart\n')
}
