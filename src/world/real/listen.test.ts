import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { HttpListener, ListenOptions } from '../sockets.ts'
import { listen } from './listen.ts'

const limits = { headerBytes: 4096, headersMs: 1000, requestMs: 1500, idleMs: 1000, connections: 2 }
const hello: HttpListener = (_, response) => void response.end('hello')

async function listening(options: Partial<ListenOptions> = {}, listener = hello): Promise<number> {
  const server = await listen({ host: '127.0.0.1', port: 0, ...limits, ...options }, listener)
  onTestFinished(() => server.close())
  return server.port
}

/** What comes until the other side closes. */
async function told(port: number, ...said: string[]): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  for (const one of said) socket.write(one)
  await once(socket, 'close')
  return text
}

const asked = 'GET / HTTP/1.1\r\nHost: pi\r\n'

test('requests are answered, and large headers are not read', async () => {
  const port = await listening()
  expect(await told(port, `${asked}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200[\s\S]*hello$/)
  expect(await told(port, asked, `X: ${'x'.repeat(5000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/)
  expect(await told(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
})

test('who never ends the request is cut off, as is who says nothing', async () => {
  const port = await listening()
  expect(await told(port, asked)).toMatch(/^(HTTP\/1.1 408|$)/)
  expect(await told(port)).toMatch(/^(HTTP\/1.1 408|$)/)
})

test('there are no more connections than so many', async () => {
  const port = await listening({ connections: 1, idleMs: 60_000, headersMs: 60_000, requestMs: 60_000 })
  const first = connect(port, '127.0.0.1')
  onTestFinished(() => void first.destroy())
  first.write(`${asked}\r\n`)
  await once(first, 'data')
  expect(await told(port, `${asked}\r\n`)).toBe('')
})

test('a port that is taken is told', async () => {
  const port = await listening()
  await expect(listen({ host: '127.0.0.1', port, ...limits }, hello)).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('closing ends what is under way', async () => {
  const server = await listen({ host: '127.0.0.1', port: 0, ...limits }, (_, response) => void response.write('begun'))
  const socket = connect(server.port, '127.0.0.1')
  socket.write(`${asked}\r\n`)
  await once(socket, 'data')
  await Promise.all([server.close(), once(socket, 'close')])
})
