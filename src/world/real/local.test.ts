import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { LocalAnswer, LocalRequest } from '../sockets.ts'
import { temporaryDirectory } from './fixtures.ts'
import { askLocal, serveLocal } from './local.ts'

async function serving(answer: (request: LocalRequest) => Promise<LocalAnswer>): Promise<string> {
  const path = `${await temporaryDirectory()}/socket`
  const server = await serveLocal(path, answer)
  onTestFinished(server.close)
  return path
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const get = { method: 'GET' as const, path: '/' }
const ok = async (): Promise<LocalAnswer> => ({ status: 200, body: 'ok' })

test('asks and answers, body for body', async () => {
  const path = await serving(async ({ method, path, query, body }) => {
    return { status: 201, body: `${method} ${path} ${query.get('a')} ${await text(body)}` }
  })
  async function* body() {
    yield Buffer.from('one ')
    yield Buffer.from('two')
  }
  const answer = await askLocal(path, { method: 'POST', path: '/x?a=b%20c', body: body() })
  expect(answer.status).toBe(201)
  expect(await text(answer.body)).toBe('POST /x b c one two')
})

test('the socket is for owner and group only, and the umask is as before', async () => {
  const before = process.umask()
  const path = await serving(ok)
  expect((await stat(path)).mode & 0o777).toBe(0o660)
  expect(process.umask()).toBe(before)
})

test('a long answer waits for the asker', async () => {
  let made = 0
  const path = await serving(async () => ({
    status: 200,
    body: (async function* () {
      for (; made < 200; made++) yield Buffer.alloc(100_000)
    })()
  }))
  const { body } = await askLocal(path, get)
  const chunks = body[Symbol.asyncIterator]()
  let count = (await chunks.next()).value!.length
  expect(made).toBeLessThan(100)
  for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) count += chunk.value.length
  expect(count).toBe(20_000_000)
})

test('a long question waits for the answerer, who need not read it to its end', async () => {
  let asked = 0
  let early = 0
  const path = await serving(async ({ body }) => {
    for await (const _ of body) break
    early = asked
    return { status: 400, body: 'enough' }
  })
  async function* body() {
    for (; asked < 200; asked++) yield Buffer.alloc(100_000)
  }
  const answer = await askLocal(path, { method: 'POST', path: '/', body: body() })
  expect(answer.status).toBe(400)
  expect(await text(answer.body)).toBe('enough')
  expect(early).toBeLessThan(100)
})

test('an answer that fails midway fails for the asker', async () => {
  const { promise: seen, resolve } = Promise.withResolvers<void>()
  const path = await serving(async () => ({
    status: 200,
    body: (async function* () {
      yield 'half'
      await seen
      throw new Error('the disk is gone')
    })()
  }))
  const { body } = await askLocal(path, get)
  resolve()
  await expect(text(body)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('an answer that fails before it begins rejects', async () => {
  const path = await serving(() => Promise.reject(new Error('bug')))
  await expect(askLocal(path, get)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('a question whose body fails rejects, and reaches nobody as whole', async () => {
  const seen: string[] = []
  const path = await serving(async ({ body }) => {
    seen.push(await text(body).catch(() => 'cut'))
    return { status: 200, body: '' }
  })
  // biome-ignore lint/correctness/useYield: it fails first
  async function* body(): AsyncGenerator<Uint8Array> {
    throw new Error('cannot be read')
  }
  await expect(askLocal(path, { method: 'POST', path: '/', body: body() })).rejects.toThrow('cannot be read')
  expect(seen).not.toContain('')
})

test('the answerer learns that the asker has gone, and only then', async () => {
  const signals: AbortSignal[] = []
  const path = await serving(async ({ signal, path }) => {
    signals.push(signal)
    if (path === '/short') return { status: 200, body: 'ok' }
    const body = async function* () {
      yield 'first'
      await once(signal, 'abort')
    }
    return { status: 200, body: body() }
  })
  await text((await askLocal(path, { ...get, path: '/short' })).body)
  const { body } = await askLocal(path, { ...get, path: '/long' })
  for await (const _ of body) break
  await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([false, true])
})

test('a second server is refused, and the first goes on', async () => {
  const path = await serving(ok)
  await expect(serveLocal(path, ok)).rejects.toMatchObject({ code: 'UNDERSTUDY_ALREADY_RUNNING' })
  expect(await text((await askLocal(path, get)).body)).toBe('ok')
})

test('a socket that a killed process left is replaced', async () => {
  const path = `${await temporaryDirectory()}/socket`
  const script = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`
  const other = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  other.kill('SIGKILL')
  await once(other, 'close')
  await expect(askLocal(path, get)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const server = await serveLocal(path, ok)
  expect(await text((await askLocal(path, get)).body)).toBe('ok')
  await server.close()
  await expect(askLocal(path, get)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a file that is not a socket stays', async () => {
  const path = `${await temporaryDirectory()}/socket`
  await writeFile(path, 'mine')
  await expect(serveLocal(path, ok)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect((await stat(path)).size).toBe(4)
})

test('closing ends what is connected', async () => {
  const path = `${await temporaryDirectory()}/socket`
  const server = await serveLocal(path, ok)
  const idle = connect(path)
  await once(idle, 'connect')
  const ended = once(idle, 'close')
  await server.close()
  await ended
})
