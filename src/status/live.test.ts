import { Writable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import { MOST_CLIENTS } from './event-streams.ts'
import { html, live, type Part } from './html.ts'
import { Live } from './live.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

let simulation: Simulation
let told: Live
let page: { count: string; rest: Part }
let rendered: number

/** Somebody who reads all that comes, or nothing of it. */
class Client extends Writable {
  text = ''
  reads = true

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk
    if (this.reads) done()
  }

  /** What came since it was asked last. */
  events(): Array<[string, unknown]> {
    const found = [...this.text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)]
    this.text = ''
    return found.map(([, name, data]) => [name!, JSON.parse(data!)])
  }
}

beforeEach(() => {
  simulation = new Simulation(2)
  page = { count: '1', rest: 'a' }
  rendered = 0
  const render = async () => {
    rendered++
    return html`<p>${live('count', page.count)}${live('same', 'x')}${page.rest}</p>`
  }
  told = new Live(simulation.machine('pi').world.timers, render, quiet)
})

async function joined(): Promise<Client> {
  const client = new Client()
  told.listen(client)
  await simulation.run(1)
  client.events()
  return client
}

async function happen(changes: Partial<typeof page>, ms = 999): Promise<void> {
  Object.assign(page, changes)
  told.happened()
  await simulation.run(ms)
}

test('texts that have changed are told within a second, and no others', async () => {
  const clients = [await joined(), await joined()]
  await happen({ count: '2' })
  for (const client of clients) expect(client.events()).toEqual([['values', { count: '2' }]])
  await happen({})
  for (const client of clients) expect(client.events()).toEqual([])
})

test('of any other change it is told that there is one', async () => {
  const client = await joined()
  await happen({ rest: html`<b>b</b>` })
  expect(client.events()).toEqual([['page', {}]])
})

test('what happens a hundred times a second is told twice a second', async () => {
  const client = await joined()
  for (let i = 0; i < 1000; i++) await happen({ count: String(i) }, 10)
  expect(client.events().length).toBeLessThan(20)
  expect(rendered).toBeLessThan(20)
})

test('what passes by itself is told, too', async () => {
  const client = await joined()
  page.count = '2'
  await simulation.run(16_000)
  expect(client.events()).toEqual([['values', { count: '2' }]])
})

test('while nobody listens nothing is done', async () => {
  const client = await joined()
  client.destroy()
  await happen({ count: '2' })
  rendered = 0
  await simulation.run(60_000)
  await happen({ count: '3' })
  expect(rendered).toBe(0)
})

test('who does not take what is sent is dropped, and who does is not', async () => {
  const [slow, quick] = [await joined(), await joined()]
  slow.reads = false
  for (let i = 0; i < 20; i++) await happen({ count: `${i}`.repeat(10_000) })
  expect([slow.destroyed, quick.destroyed]).toEqual([true, false])
  expect(slow.writableLength).toBeLessThan(200_000)
})

test('there are no more than so many', async () => {
  for (let i = 0; i < MOST_CLIENTS; i++) {
    expect(told.isFull).toBe(false)
    told.listen(new Client())
  }
  expect(told.isFull).toBe(true)
  told.close()
  await simulation.run(1)
  expect(told.isFull).toBe(false)
})

test('a page that cannot be made is told to nobody, and tried again', async () => {
  let fails = true
  const errors: string[] = []
  const render = async () => {
    if (fails) throw new Error('no')
    return html`${live('count', '1')}`
  }
  told = new Live(simulation.machine('pi').world.timers, render, { ...quiet, error: (_, text) => errors.push(text) })
  const client = await joined()
  fails = false
  await happen({})
  expect(client.events()).toEqual([['values', { count: '1' }]])
  expect(errors).toHaveLength(1)
})
