import type { FastifyInstance, FastifyReply } from 'fastify'
import type { StudentGraph } from '../../analytics/student-graphs.ts'
import type { Parts } from '../app.ts'
import type { Html } from '../html.ts'
import { capturesPage } from '../pages/captures.ts'
import { graphsPage } from '../pages/graphs.ts'
import { layout } from '../pages/layout.ts'
import { overview } from '../pages/overview.ts'
import { streamPage } from '../pages/stream.ts'
import { type Chosen, studentsPage } from '../pages/students.ts'
import { DAY_MS, type Snapshot, sinceStarted } from '../snapshot.ts'

/** What people look at. */
export function pageRoutes(app: FastifyInstance, { config, snapshots, assets, models, sources }: Parts): void {
  const send = (reply: FastifyReply, { report }: Snapshot, path: string, title: string, main: Html): FastifyReply => {
    const page = layout({ title, site: report.site, version: report.version, main }, assets, path)
    return reply.type('text/html').send(page.text)
  }

  app.get('/', async (_, reply) => {
    const snapshot = await snapshots.take()
    return send(reply, snapshot, '/', snapshot.verdict.sentence, overview(snapshot))
  })

  app.get<{ Params: { stream: string } }>('/streams/:stream', async ({ params }, reply) => {
    const snapshot = await snapshots.take()
    const stream = snapshot.report.streams.find((one) => one.stream === params.stream)
    if (!stream) return reply.callNotFound()
    const toMs = snapshot.report.nowMs
    const [week] = await snapshots.coverage({ streams: [stream.stream], fromMs: toMs - 7 * DAY_MS, toMs })
    return send(reply, snapshot, '', stream.stream, streamPage(snapshot, stream, week && sinceStarted(week)))
  })

  app.get('/graphs', async (_, reply) => {
    const snapshot = await snapshots.take()
    return send(reply, snapshot, '/graphs', 'Task graphs', graphsPage(await models(), config.status.showStudents))
  })

  app.get<{ Querystring: Record<keyof Chosen, unknown> }>(
    '/graphs/students',
    { config: { access: 'password' } },
    async ({ query: { student, task } }, reply) => {
      const found = config.status.showStudents ? sources.students() : undefined
      if (!found) return reply.callNotFound()
      const snapshot = await snapshots.take()
      const students: StudentGraph[] = []
      for await (const one of found) students.push(one)
      const chosen = { student: textOf(student), task: textOf(task) }
      const main = studentsPage(snapshot, students, await models(), chosen)
      return send(reply, snapshot, '/graphs/students', "Students' graphs", main)
    }
  )

  app.get('/captures/', { config: { access: 'password' } }, async (_, reply) => {
    const snapshot = await snapshots.take()
    return send(reply, snapshot, '/captures/', 'Captures', capturesPage(snapshot))
  })
}

/** What is given twice is a list. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
