import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import type { HttpRequest } from '../sockets.ts'
import { certificate, proxying, serving, speaking } from './fixtures.ts'
import { request } from './http.ts'

const get: HttpRequest = { method: 'GET', timeoutMs: 30_000 }
const hello = { request: async () => ({ status: 200, body: 'hello' }) }

test('sends what it is given and gives what it gets', async () => {
  const { address } = await serving({
    request: async (asked) => ({ status: 201, headers: { 'X-Two': 'b' }, body: JSON.stringify(asked) })
  })
  const headers = { Authorization: 'token' }
  const answer = await request(`http://${address}/a?b=c`, { ...get, method: 'POST', headers, body: 'ä' })
  expect(answer).toMatchObject({ status: 201, headers: { 'x-two': 'b', date: expect.any(String) } })
  expect(JSON.parse(answer.body)).toMatchObject({
    method: 'POST',
    url: '/a?b=c',
    headers: { authorization: 'token' },
    body: 'ä'
  })
})

test('an empty POST says that it is empty', async () => {
  const { address } = await serving({
    request: async ({ headers }) => ({ status: 200, body: headers['content-length'] ?? 'none' })
  })
  expect((await request(`http://${address}/`, { ...get, method: 'POST' })).body).toBe('0')
})

test('does not follow redirects', async () => {
  const { address } = await serving({
    request: async () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' })
  })
  expect((await request(`http://${address}/`, get)).status).toBe(302)
})

test('a long body is cut off at 64 kB, and the connection ended', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<unknown>()
  const port = await speaking((socket) => {
    socket.once('close', resolve).resume()
    socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(3_000_000)}`)
  })
  expect((await request(`http://127.0.0.1:${port}/`, get)).body.length).toBe(64 * 1024)
  await ended
})

test('a server that hangs up without an answer is ECONNRESET, one that is not there ECONNREFUSED', async () => {
  const { address, close } = await serving({ request: async () => undefined })
  await expect(request(`http://${address}/`, get)).rejects.toMatchObject({ code: 'ECONNRESET' })
  await close()
  await expect(request(`http://${address}/`, get)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('the time allowed is for all of it, headers and body', async () => {
  const port = await speaking((socket) => {
    socket.once('data', (head) => {
      if (head.toString().includes('/body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    })
  })
  for (const path of ['head', 'body']) {
    const late = request(`http://127.0.0.1:${port}/${path}`, { ...get, timeoutMs: 50 })
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
  }
})

test('a certificate that nobody trusts is refused, one that is given is trusted', async () => {
  const tls = await certificate()
  const { address } = await serving(hello, tls)
  await expect(request(`https://${address}/`, get)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const other = await certificate()
  const wrong = request(`https://${address}/`, { ...get, ca: other.cert })
  await expect(wrong).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  expect((await request(`https://${address}/`, { ...get, ca: tls.cert })).body).toBe('hello')
})

test.each(['http', 'https'])('goes through a proxy to %s', async (scheme) => {
  const tls = await certificate()
  const { address } = await serving(hello, scheme === 'https' ? tls : undefined)
  const proxy = await proxying()
  const answer = await request(`${scheme}://${address}/`, { ...get, proxy: proxy.url, ca: tls.cert })
  expect(answer.body).toBe('hello')
  expect(proxy.targets).toEqual([address])
})

test('says when a certificate that was checked is valid, and nothing of it without TLS', async () => {
  const tls = await certificate()
  const { address } = await serving(hello, tls)
  const { url: proxy } = await proxying()
  const { validFromDate, validToDate } = new X509Certificate(tls.cert)
  const expected = { fromMs: validFromDate.getTime(), toMs: validToDate.getTime() }
  for (const way of [{}, { proxy }, { judgeDates: {} }, { proxy, judgeDates: {} }]) {
    const answer = await request(`https://${address}/`, { ...get, ca: tls.cert, ...way })
    expect(answer.certificate).toEqual(expected)
  }
  const plain = await serving(hello)
  for (const way of [{}, { proxy }]) {
    expect(await request(`http://${plain.address}/`, { ...get, ...way })).not.toHaveProperty('certificate')
  }
})

test('through a proxy too a certificate must be for the host that was asked for', async () => {
  const tls = await certificate()
  const { address } = await serving(hello, tls)
  const { url: proxy } = await proxying()
  const asked = request(`https://${address.replace('127.0.0.1', 'localhost')}/`, { ...get, proxy, ca: tls.cert })
  await expect(asked).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test.each([403, 407])('a proxy that answers %i has refused', async (status) => {
  const proxy = await proxying(status)
  const refused = request('https://127.0.0.1:1/', { ...get, proxy: proxy.url })
  await expect(refused).rejects.toMatchObject({ code: 'PROXY_REFUSED' })
})

test('so has one that is not there', async () => {
  const refused = request('https://127.0.0.1:1/', { ...get, proxy: 'http://127.0.0.1:1' })
  await expect(refused).rejects.toMatchObject({ code: 'PROXY_REFUSED' })
})

test('a proxy that never answers takes no longer than is allowed, and is let go', async () => {
  const proxy = await proxying(null)
  const late = request('https://127.0.0.1:1/', { ...get, timeoutMs: 50, proxy: proxy.url })
  await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
  await expect.poll(() => proxy.open.size).toBe(0)
})

test('a bad URL rejects', async () => {
  await expect(request('nonsense', get)).rejects.toMatchObject({ code: 'ERR_INVALID_URL' })
})
