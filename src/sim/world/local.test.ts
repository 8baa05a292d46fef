import { expect, test } from 'vitest'
import type { LocalAnswer, LocalRequest } from '../../world/sockets.ts'
import { Simulation } from './simulation.ts'

async function* lines(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) yield `${i}\n`
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function served(answer: (request: LocalRequest) => Promise<LocalAnswer>) {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  const server = pi.world
  await server.sockets.serveLocal('/s', answer)
  const asker = pi.start()
  const ask = (body?: AsyncIterable<Uint8Array>) =>
    asker.sockets.askLocal('/s', { method: 'POST', path: '/status?a=1', ...(body && { body }) })
  return { simulation, pi, server, asker, ask }
}

test('a question and its answer go through, bodies and all', async () => {
  const { simulation, ask } = await served(async ({ method, path, query, body }) => ({
    status: 201,
    body: `${method} ${path} ${query.get('a')} ${await text(body)}`
  }))
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from('x')
    yield Buffer.from('y')
  }
  const answer = await simulation.complete(ask(body()))
  expect(answer.status).toBe(201)
  expect(await simulation.complete(text(answer.body))).toBe('POST /status 1 xy')
})

test('an answer comes as it is read, and its server learns when nobody reads on', async () => {
  let given = 0
  let signal: AbortSignal | undefined
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield `${given++}`
  }
  const { simulation, ask } = await served(async (request) => {
    signal = request.signal
    return { status: 200, body: endless() }
  })
  const { body } = await simulation.complete(ask())
  const first = async (): Promise<string[]> => {
    const chunks: string[] = []
    for await (const chunk of body) if (chunks.push(chunk.toString()) === 3) break
    return chunks
  }
  expect(await simulation.complete(first())).toEqual(['0', '1', '2'])
  await simulation.run(10)
  expect(given).toBe(3)
  expect(signal?.aborted).toBe(true)
})

test('a failing answer and a killed server are errors to the asker', async () => {
  async function* failing(): AsyncGenerator<string> {
    yield* lines(2)
    throw new Error('broken')
  }
  const first = await served(async () => ({ status: 200, body: failing() }))
  const { body } = await first.simulation.complete(first.ask())
  await expect(first.simulation.complete(text(body))).rejects.toMatchObject({ code: 'ECONNRESET' })
  const second = await served(() => new Promise(() => {}))
  const answer = second.ask()
  second.simulation.schedule(1000, () => second.pi.kill(second.server))
  await expect(second.simulation.complete(answer)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('an asker that is killed aborts the signal', async () => {
  let signal: AbortSignal | undefined
  const { simulation, pi, asker, ask } = await served((request) => {
    signal = request.signal
    return new Promise(() => {})
  })
  void ask()
  await simulation.run(10)
  expect(signal?.aborted).toBe(false)
  pi.kill(asker)
  await simulation.run(10)
  expect(signal?.aborted).toBe(true)
})

test('one listens at a time; a killed one leaves its file behind', async () => {
  const answer = async (): Promise<LocalAnswer> => ({ status: 200, body: '' })
  const { simulation, pi, server, asker, ask } = await served(answer)
  await expect(asker.sockets.serveLocal('/s', answer)).rejects.toMatchObject({ code: 'UNDERSTUDY_ALREADY_RUNNING' })
  pi.kill(server)
  await expect(simulation.complete(ask())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect((await asker.files.info('/s'))?.kind).toBe('other')
  const again = await asker.sockets.serveLocal('/s', answer)
  await simulation.complete(ask())
  await again.close()
  await expect(simulation.complete(ask())).rejects.toMatchObject({ code: 'ENOENT' })
})
