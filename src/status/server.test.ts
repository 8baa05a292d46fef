import { beforeEach, describe, expect, test } from 'vitest'
import { installGraphs } from '../../test/support/graphs.ts'
import type { Config } from '../config/config.ts'
import { validate } from '../config/validate.ts'
import { NOW_MS, stream } from '../health/fixtures.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { HttpAnswer } from '../world/sockets.ts'
import { FakeRecorder, studentGraph } from './fixtures.ts'
import { loadApp, StatusServer } from './server.ts'

// loading code takes real time, which does not pass in a simulation
await loadApp()

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE2fQ.abc_DEF-123'

let simulation: Simulation
let pi: Machine
let recorder: FakeRecorder

beforeEach(() => {
  simulation = new Simulation(7, { startWallUs: NOW_MS * 1000 })
  pi = simulation.machine('pi')
  recorder = new FakeRecorder()
})

function configOf(status: object): Config {
  const checked = validate({ time_zone: 'UTC', data: { directory: '/data' }, status })
  if ('faults' in checked) throw new Error(checked.faults.join())
  return checked.config
}

async function serve(status: object = { address: '0.0.0.0' }): Promise<StatusServer> {
  await pi.world.files.makeDirectory('/data')
  const server = new StatusServer(pi.world, configOf(status), recorder, quiet)
  server.start()
  server.opened(recorder.journal())
  await simulation.complete(server.served())
  return server
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly from?: Machine
}

function ask(
  path: string,
  { method = 'GET', from = simulation.machine('phone'), ...rest }: Asked = {}
): Promise<HttpAnswer> {
  const host = from === pi ? 'localhost' : 'pi'
  const request = { method: method as 'GET' | 'POST', timeoutMs: 60_000, ...rest }
  return simulation.complete(from.world.sockets.request(`http://${host}:8088${path}`, request), 120_000)
}

const password = async (): Promise<string> => (await pi.world.files.readFile('/data/status-password')).toString().trim()

async function basic(): Promise<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`any:${await password()}`).toString('base64')}` }
}

describe('where it is reached from elsewhere', () => {
  const open = ['/login', '/healthz', '/readyz']
  const closed = [
    '/',
    '/streams/spin30',
    '/graphs',
    '/captures/',
    '/captures/a/b/c',
    '/api/status',
    '/api/coverage',
    '/api/events',
    '/metrics',
    '/support',
    '/nothing'
  ]

  test('nothing is told without the password', async () => {
    await serve()
    for (const path of open) expect((await ask(path)).status, path).toBe(200)
    for (const path of closed) {
      const { status, body } = await ask(path)
      expect([status, body], path).toEqual([401, 'the password is needed\n'])
    }
    const { status, headers } = await ask('/', { headers: { accept: 'text/html' } })
    expect([status, headers['location']]).toEqual([303, '/login'])
  })

  test('a browser gets in with the password, and stays in', async () => {
    await serve()
    const login = (text: string): Promise<HttpAnswer> =>
      ask('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ password: text }).toString()
      })
    const refused = await login('not the password')
    expect([refused.status, refused.headers['set-cookie']]).toEqual([401, undefined])
    expect(refused.body).toContain('That is not the password.')
    const { status, headers } = await login(await password())
    expect([status, headers['location']]).toEqual([303, '/'])
    expect(headers['set-cookie']).toMatch(/^understudy=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/)
    const cookie = headers['set-cookie']!.split(';')[0]!
    expect((await ask('/', { headers: { cookie } })).body).toContain('Everything is being kept')
    expect((await ask('/captures/', { headers: { cookie: `a=b; ${cookie}` } })).status).toBe(200)
    expect((await ask('/', { headers: { cookie: `${cookie}x` } })).status).toBe(401)
  })

  test('a program gives it each time', async () => {
    await serve()
    const { status, body } = await ask('/metrics', { headers: await basic() })
    expect(status).toBe(200)
    expect(body).toContain('understudy_verdict{state="ok"} 1')
  })

  test('guessing ends', async () => {
    await serve()
    const guess = (): Promise<HttpAnswer> => ask('/metrics', { headers: { authorization: 'Basic YTpi' } })
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) statuses.push((await guess()).status)
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
  })
})

describe('on loopback', () => {
  test('it is shown to everybody on the machine, but what can be downloaded', async () => {
    await serve({})
    for (const path of ['/', '/streams/spin30', '/graphs', '/api/status', '/api/coverage', '/metrics']) {
      expect((await ask(path, { from: pi })).status, path).toBe(200)
    }
    for (const path of ['/captures/', '/captures/a/b/c', '/support']) {
      expect((await ask(path, { from: pi })).status, path).toBe(401)
    }
    await expect(ask('/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('names that another could lead here are refused', async () => {
    await serve({ names: ['pi.lab.example'] })
    const statusAs = async (host: string): Promise<number> => (await ask('/', { from: pi, headers: { host } })).status
    for (const host of ['localhost:8088', '127.0.0.1', '[::1]:8088', 'understudy.local', 'pi', 'PI.lab.example:80']) {
      expect(await statusAs(host), host).toBe(200)
    }
    for (const host of [
      'evil.example',
      'pi.local.example',
      'a b',
      'localhost:8088@evil.example',
      '1.evil',
      `${'x'.repeat(300)}.example`
    ]) {
      expect(await statusAs(host), host).toBe(421)
    }
  })

  test('what another site loads or sends is refused, and a link is followed', async () => {
    await serve({})
    const of = async (site: string, mode: string, dest: string): Promise<number> =>
      (
        await ask('/', {
          from: pi,
          headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest }
        })
      ).status
    expect(await of('cross-site', 'no-cors', 'image')).toBe(403)
    expect(await of('cross-site', 'navigate', 'iframe')).toBe(403)
    expect(await of('same-site', 'cors', 'empty')).toBe(403)
    expect(await of('cross-site', 'navigate', 'document')).toBe(200)
    expect(await of('same-origin', 'cors', 'empty')).toBe(200)
    const foreign = await ask('/login', {
      from: pi,
      method: 'POST',
      headers: { origin: 'http://evil.example' },
      body: ''
    })
    expect(foreign.status).toBe(403)
  })

  test('nothing can be changed', async () => {
    await serve({})
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      expect((await ask('/', { from: pi, method })).status, method).toBe(405)
    }
    expect((await ask('/', { from: pi, method: 'HEAD' })).body).toBe('')
  })

  test('every answer forbids what a page of ours needs not', async () => {
    await serve({})
    for (const path of ['/', '/login', '/nothing', '/api/status', '/captures/', '/%ff', '/assets/none']) {
      const { headers } = await ask(path, { from: pi })
      expect(headers['content-security-policy'], path).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
      expect(headers, path).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' })
    }
  })

  test('what is asked for is not repeated', async () => {
    await serve({})
    for (const path of [`/${TOKEN}`, `/streams/${TOKEN}`, `/api/coverage?stream=${TOKEN}`, `/%zz${TOKEN}`]) {
      const { status, body, headers } = await ask(path, { from: pi })
      expect(status, path).toBeGreaterThanOrEqual(400)
      expect(status, path).toBeLessThan(500)
      expect(body + JSON.stringify(headers)).not.toContain(TOKEN)
    }
  })
})

describe('what programs read', () => {
  test('the status is the report with its verdict', async () => {
    await serve({})
    const { body, headers } = await ask('/api/status', { from: pi })
    expect(headers['content-type']).toContain('application/json')
    const { format, verdict, report } = JSON.parse(body)
    expect({ format, verdict }).toEqual({ format: 1, verdict: recorder.verdict(recorder.current) })
    expect(report).toEqual(JSON.parse(JSON.stringify(recorder.current)))
  })

  test('coverage of streams and a period', async () => {
    await serve({})
    const query = 'stream=spin30&from=2026-11-01T09:00:00Z&to=2026-11-02T08:00:00Z'
    const { format, streams } = JSON.parse((await ask(`/api/coverage?${query}`, { from: pi })).body)
    expect(format).toBe(1)
    expect(streams).toMatchObject([{ stream: 'spin30', share: 1, rest: [] }])
    for (const wrong of ['from=yesterday', 'from=2020-01-01', 'stream=none', 'to=1&from=2', 'from=1&from=2']) {
      expect((await ask(`/api/coverage?${wrong}`, { from: pi })).status, wrong).toBe(400)
    }
  })

  test('it is ready as long as something can be recorded', async () => {
    await serve({})
    const ready = async (): Promise<number> => (await ask('/readyz', { from: pi })).status
    expect(await ready()).toBe(200)
    recorder.current = { ...recorder.current, journal: { ...recorder.current.journal, failure: 'disk full' } }
    expect(await ready()).toBe(503)
    expect((await ask('/healthz', { from: pi })).status).toBe(200)
  })

  test('a support bundle has what helps, and no secrets', async () => {
    recorder.lines.push(`{"msg":"slipped in","url":"wss://u:p@relay.example/session?code=abc","token":"${TOKEN}"}`)
    await serve({})
    const { body } = await ask('/support', { from: pi, headers: await basic() })
    const bundle = JSON.parse(body)
    expect(bundle).toMatchObject({
      format: 1,
      versions: { understudy: '0.1.0', node: '24.0.0' },
      verdict: { state: 'ok' }
    })
    expect(bundle.config.status.port).toBe(8088)
    for (const secret of [TOKEN, 'u:p@', 'code=abc', await password()]) expect(body).not.toContain(secret)
  })
})

describe('students', () => {
  const STUDENT = '0f8fad5b-d9cb-469f-a165-70867728950e'

  beforeEach(async () => {
    await simulation.complete(installGraphs(pi.world.files))
    recorder.graphs = [studentGraph('7c9e6679-7425', [0, 0], NOW_MS - 1), studentGraph(STUDENT, [0, 1, 1, 2])]
  })

  test('are shown by shortened ids, beside a task, to whoever has the password', async () => {
    await serve({ show_students: true })
    expect((await ask('/graphs/students', { from: pi })).status).toBe(401)
    const page = async (query: string): Promise<string> =>
      (await ask(`/graphs/students${query}`, { from: pi, headers: await basic() })).body
    const list = await page('')
    expect(list.indexOf('0f8fad5b…')).toBeLessThan(list.indexOf('7c9e66…'))
    const [, link] = /<a href="\/graphs\/students(\?student=[0-9a-f]{16})">0f8fad5b…/.exec(list) ?? []
    const drawn = await page(`${link}&task=spinner-cie3-3`)
    expect(drawn).toContain('0f8fad5b… in spinner cie3, beside spinner-cie3-3')
    expect(await page(`${link}&task=none&task=none`)).toContain('beside spinner-cie3-1-2')
    expect(await page('?student=none')).not.toContain('beside')
    for (const body of [list, drawn]) expect(body).not.toContain(STUDENT.slice(0, 9))
  })

  test('are shown to nobody unless the config says so', async () => {
    await serve({})
    const { status, body } = await ask('/graphs/students', { from: pi, headers: await basic() })
    expect([status, body]).toEqual([404, 'there is nothing here\n'])
    expect((await ask('/graphs', { from: pi })).body).not.toContain('/graphs/students')
  })
})

test('streams that do not exist have no page', async () => {
  await serve({})
  expect((await ask('/streams/none', { from: pi })).status).toBe(404)
})

test('where the port is taken, it is tried again', async () => {
  const limits = { headerBytes: 1, headersMs: 1, requestMs: 1, idleMs: 1, connections: 1 }
  const other = await simulation.complete(pi.world.sockets.listen({ host: '0.0.0.0', port: 8088, ...limits }, () => {}))
  await pi.world.files.makeDirectory('/data')
  const told: string[] = []
  const log = { ...quiet, warn: (fields: { code?: string }) => told.push(fields.code ?? '') }
  const server = new StatusServer(pi.world, configOf({}), recorder, log)
  server.start()
  await simulation.run(130_000)
  expect(told).toEqual(Array(3).fill('UNDERSTUDY_STATUS_LISTEN'))
  await simulation.complete(other.close())
  await simulation.run(60_000)
  expect((await ask('/healthz', { from: pi })).status).toBe(200)
  await simulation.complete(server.stop())
})

test('stopped, it leaves nothing behind', async () => {
  const server = await serve({})
  expect(recorder.listeners).toBe(2)
  await simulation.complete(server.stop())
  expect(recorder.listeners).toBe(0)
  await expect(ask('/', { from: pi })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a stream that is not heard is told of first', async () => {
  recorder.current = {
    ...recorder.current,
    streams: [stream({ state: 'unheard', unheardSinceMs: NOW_MS - 3_600_000, cause: 'connection lost' })]
  }
  await serve({})
  const { body } = await ask('/', { from: pi })
  expect(body).toContain('spin30 is not heard')
  expect(body.indexOf('What to do')).toBeLessThan(body.indexOf('<table'))
})
