import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { MANIFEST, type Manifest, writeManifest } from '../../src/captures/manifest.ts'
import { Appliance } from '../../src/cli/appliance.ts'
import { createLogger } from '../../src/cli/logger.ts'
import { validate } from '../../src/config/validate.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { Dice } from '../../src/sim/world/dice.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { freePort } from '../support/free-port.ts'
import { repeats } from '../support/scale.ts'

/** A recorder that holds ids and tokens, and requests that nobody means well with: none is to get at them. */

const SEED = 20_261_121
const STUDENT = '0f8fad5b-d9cb-469f-a165-70867728950e'
const MESSAGE = `{"user":"${STUDENT}","t":1,"exp":"spinner","course":"cie3","type":"analytics","payload":{"log":"voltage_step"}}`

let world: World
let directory: string
let relay: SimulatedRelay
let appliance: Appliance
let port: number
let planted: string[]
/** All that was logged. */
const lines: string[] = []
/** What came out that must not, and of which request. */
const leaked: string[] = []

afterEach(() => {
  expect(leaked).toEqual([])
  expect(secretsIn(lines.join(''))).toEqual([])
})

beforeAll(async () => {
  world = await realWorld()
  directory = await mkdtemp(`${tmpdir()}/understudy-hostile-`)
  relay = new SimulatedRelay(world, { secret: 'of the relay' })
  await relay.start()
  await mkdir(`${directory}/credentials`)
  const { accessFile, tokenFile } = relay.credentials('spin30')
  for (const { name, content } of [accessFile, tokenFile]) await writeFile(`${directory}/credentials/${name}`, content)
  await plantFolder(`${directory}/data/captures/daily/2026-11-01`)
  port = await freePort()
  const checked = validate({
    data: { directory: `${directory}/data` },
    streams: { credentials: `${directory}/credentials` },
    clock: { trust: true },
    status: { port, show_students: true }
  })
  if ('faults' in checked) throw new Error(checked.faults.join())
  const log = createLogger({ level: 'debug', priorities: false, clock: world.clock, write: (line) => lines.push(line) })
  const user = { env: {}, uid: process.getuid!() }
  appliance = await Appliance.start(world, { config: checked.config, user, page: { logged: () => lines } }, log)
  await until(() => appliance.pageUrl !== undefined && appliance.tally.streams().every(({ heard }) => heard))
  relay.say('spin30', MESSAGE)
  await until(() => appliance.tally.streams()[0]!.frames > 0)
  await appliance.journal.commit()
  const password = (await readFile(`${directory}/data/status-password`, 'utf8')).trim()
  planted = [STUDENT, STUDENT.slice(0, 18), tokenFile.content.trim(), password, 'of the relay']
})

afterAll(async () => {
  await appliance.stop()
  await relay.stop()
  await rm(directory, { recursive: true, force: true })
})

/** A sealed folder with what a student has sent. */
async function plantFolder(path: string): Promise<void> {
  const content = Buffer.from(`${MESSAGE}\n`)
  const name = 'spin30.jsonl'
  const manifest: Manifest = {
    format: 1,
    version: '0.1.0',
    site: 'north',
    capture: 'daily',
    folder: '2026-11-01',
    supplement: 1,
    sealedUs: 1,
    sealed: '2026-11-02T00:00:00Z',
    content: 'envelope',
    streams: [],
    files: [{ name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }],
    names: {},
    journal: { before: 1, missing: [], completeBelow: 1 }
  }
  await mkdir(path, { recursive: true })
  await writeFile(`${path}/${name}`, content)
  await writeFile(`${path}/${MANIFEST}`, writeManifest(manifest))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Says it, and gives all that comes, in which no secret may be. */
async function said(...parts: readonly string[]): Promise<string> {
  const answers = await saidInside(...parts)
  note(secretsIn(answers), parts)
  return answers
}

/**
 * Says it with the password, and gives all that comes, until the other side closes (who closes first is not answered), or
 * until the first events of a stream of them, which would not end. No secret may be in it but what students have sent.
 */
async function saidInside(...parts: readonly string[]): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  let answers = ''
  socket.setEncoding('latin1').on('error', () => {})
  socket.on('data', (text) => {
    answers += text
    if (answers.includes('event: values')) socket.destroy()
  })
  for (const part of parts) socket.write(part, 'latin1')
  await once(socket, 'close')
  const tokens = secretsIn(answers).filter((secret) => !STUDENT.includes(secret))
  note(tokens, parts)
  return answers
}

function note(secrets: readonly string[], asked: readonly string[]): void {
  for (const secret of secrets) leaked.push(`${secret} of ${JSON.stringify(asked)}`)
}

function secretsIn(text: string): string[] {
  return planted.filter((secret) => text.includes(secret))
}

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`

/** The cookie of a browser that has given the password. */
async function loggedIn(): Promise<string> {
  const password = (await readFile(`${directory}/data/status-password`, 'utf8')).trim()
  const body = `password=${password}`
  const type = 'Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n'
  const head = `POST /login HTTP/1.1\r\nHost: localhost\r\n${type}Content-Length: ${body.length}\r\n\r\n`
  return /set-cookie: (understudy=[^;]+)/i.exec(await said(head + body))![1]!
}

async function isWell(): Promise<boolean> {
  return (await said(get('/healthz', 'Connection: close\r\n'))).startsWith('HTTP/1.1 200')
}

test('who has the password gets what is sealed, and nothing beside it', async () => {
  const password = (await readFile(`${directory}/data/status-password`, 'utf8')).trim()
  const inside = `Connection: close\r\nAuthorization: Basic ${Buffer.from(`any:${password}`).toString('base64')}\r\n`
  const folder = '/captures/daily/2026-11-01'
  const answer = await saidInside(get(`${folder}/spin30.jsonl`, inside))
  expect(answer).toMatch(/^HTTP\/1.1 200/)
  expect(answer.endsWith(`\r\n\r\n${MESSAGE}\n`)).toBe(true)
  expect(answer).toMatch(/content-disposition: attachment; filename="daily-2026-11-01-spin30.jsonl"/i)
  expect(await said(get('/captures/', inside))).toContain(`${folder}/spin30.jsonl`)
  expect(await said(get(`${folder}/manifest.json`, inside))).toContain('"folder": "2026-11-01"')
  const outside = ['..%2f..%2f..%2fstatus-password', '..', 'manifest.json%00', 'spin31.jsonl', '__proto__', '.']
  for (const name of outside) {
    for (const path of [
      `${folder}/${name}`,
      `/captures/daily/${name}/manifest.json`,
      `/captures/${name}/2026-11-01/manifest.json`
    ]) {
      expect(await said(get(path, inside)), path).toMatch(/^HTTP\/1.1 40[04]/)
    }
  }
})

test('no path leads out of what there is', async () => {
  const outs = [
    '..',
    '%2e%2e',
    '..%2f',
    '%2e%2e%2f',
    '..%5c',
    '....//',
    '%252e%252e',
    '\u00c0\u00ae',
    '.',
    '%00',
    '~',
    ''
  ]
  const names = [
    'status-password',
    'status-password.scrypt',
    'etc/passwd',
    'credentials/log.token.spin30',
    'run.sock',
    'catalogue.json'
  ]
  for (const base of [
    '/captures',
    '/captures/daily',
    '/captures/daily/2026-11-01',
    '/assets',
    '/streams',
    '',
    '/graphs'
  ]) {
    for (const out of outs) {
      for (const name of names) {
        const answers = await said(
          get(`${base}/${out}/${out}/${name}`),
          get(`${base}/${out}${name}`, 'Connection: close\r\n')
        )
        expect(answers).not.toMatch(/root:x:0/)
        for (const [, status] of answers.matchAll(/^HTTP\/1\.1 (\d+)/gm))
          expect(['400', '401', '404', '405', '421'], `${base} ${out} ${name}`).toContain(status)
      }
    }
  }
})

test('what is too large is not read, and what is no request is none', async () => {
  expect(await said(get('/', `X: ${'x'.repeat(20_000)}\r\n`))).toMatch(/^HTTP\/1.1 431/)
  expect(await said(get(`/${'x'.repeat(20_000)}`))).toMatch(/^HTTP\/1.1 (431|414|400)/)
  const body = `password=${'x'.repeat(5000)}`
  const form = `POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  expect(await said(form)).toMatch(/^HTTP\/1.1 413/)
  expect(await said('GET / HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1.1 (400|505)/)
  expect(await said('\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  expect(await said('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  expect(
    await said(
      'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    )
  ).toMatch(/^HTTP\/1.1 400/)
  expect(await isWell()).toBe(true)
})

test('who speaks slowly is cut off, and others are answered meanwhile', async () => {
  const slow = Array.from({ length: 50 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  const ended = Promise.all(slow.map((socket) => once(socket, 'close')))
  for (const socket of slow) socket.resume().write('GET / HTTP/1.1\r\nHost: localhost\r\nX: ')
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x')
  }, 500)
  try {
    expect(await isWell()).toBe(true)
    await ended
  } finally {
    clearInterval(drip)
  }
  expect(await isWell()).toBe(true)
})

const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'CONNECT',
  'BREW',
  'get'
]
const paths = [
  '/',
  '/streams/spin30',
  '/streams/',
  '/graphs',
  '/graphs/students',
  '/captures/',
  '/captures/daily/2026-11-01/manifest.json',
  '/captures/daily/2026-11-01/spin30.jsonl',
  '/api/status',
  '/api/events',
  '/api/coverage?stream=spin30',
  '/api/coverage?from=',
  '/metrics',
  '/healthz',
  '/readyz',
  '/login',
  '/support',
  '/assets/page.js',
  '/nothing'
]
const pieces = [
  '../',
  '%2e%2e%2f',
  '%00',
  '%ff',
  '%',
  '?',
  '&',
  '=',
  '#',
  '//',
  '\\',
  "'",
  '"',
  '<script>',
  '%3Cscript%3E',
  '{{7*7}}',
  '#{7}',
  '__proto__',
  'constructor',
  'spin30',
  STUDENT,
  '-1',
  '1e309',
  '9'.repeat(40),
  'x'.repeat(300),
  '\u00e9',
  '\u0000',
  ';',
  '|',
  '%0d%0aSet-Cookie:a=b',
  '*',
  '[]',
  'stream=',
  'from=',
  'to='
]
const names = [
  'Host',
  'Cookie',
  'Authorization',
  'Origin',
  'Referer',
  'Accept',
  'Range',
  'If-None-Match',
  'Expect',
  'Upgrade',
  'Connection',
  'Content-Type',
  'Content-Length',
  'X-Forwarded-For',
  'Sec-Fetch-Site',
  'Sec-Fetch-Mode',
  'Accept-Encoding',
  'Last-Event-ID',
  'X-HTTP-Method-Override'
]
const values = [
  'localhost',
  '127.0.0.1',
  'evil.example',
  'understudy=x',
  'Basic YTpi',
  'Basic ',
  'Bearer x',
  'text/html',
  'bytes=0-',
  '*',
  '100-continue',
  'websocket',
  'close',
  'keep-alive',
  '0',
  '5',
  '-1',
  'cross-site',
  'navigate',
  'DELETE',
  'application/x-www-form-urlencoded',
  'application/json',
  'chunked',
  ''
]

function fuzzed(dice: Dice, inside = ''): string {
  const some = (most: number, made: () => string): string => Array.from({ length: dice.int(0, most) }, made).join('')
  const pick = (of: readonly string[]): string => of[dice.int(0, of.length - 1)]!
  const odd = (): string => (dice.chance(0.2) ? String.fromCharCode(dice.int(0, 255)) : pick(pieces))
  const target = pick(paths) + some(4, odd)
  const host = dice.chance(0.9) ? `Host: ${dice.chance(0.9) ? 'localhost' : pick(values)}\r\n` : ''
  const headers = some(4, () => `${pick(names)}: ${pick(values)}${some(1, odd)}\r\n`)
  return `${pick(methods)} ${target} HTTP/1.${dice.int(0, 1)}\r\n${host}${inside}${headers}\r\n${some(1, odd)}`
}

test('whatever is asked, no secret comes out, and it goes on', { timeout: 3_600_000 }, async () => {
  const dice = new Dice(SEED)
  // Whoever guesses too much is not let in by the password any more, but stays in.
  const cookie = `Cookie: ${await loggedIn()}\r\n`
  let left = repeats(100_000)
  let answered = 0
  const asker = async (): Promise<void> => {
    while (left > 0) {
      left--
      const last = get('/healthz', 'Connection: close\r\n')
      const isInside = dice.chance(0.2)
      const answers = isInside ? await saidInside(fuzzed(dice, cookie), last) : await said(fuzzed(dice), last)
      if (answers !== '') answered++
    }
  }
  await Promise.all(Array.from({ length: 8 }, asker))
  expect(answered).toBeGreaterThan(repeats(100_000) / 2)
  expect(await isWell()).toBe(true)
  // It records as before.
  const before = appliance.tally.streams()[0]!.frames
  relay.say('spin30', MESSAGE)
  await until(() => appliance.tally.streams()[0]!.frames > before)
})
