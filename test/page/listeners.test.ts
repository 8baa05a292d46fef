import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { messages } from '../../src/sim/students/generate.ts'
import { sleep } from '../../src/world/time.ts'
import { world } from '../relay/rig/relays.ts'
import { repeats } from '../support/scale.ts'
import { Listener } from './rig/listener.ts'
import { Served } from './rig/served.ts'
import { Stuck } from './rig/stuck.ts'

/** The page of a recorder under load, with all who may listen to it: nothing is lost by it, and nobody holds it up. */

const BROWSERS = 50
const OTHERS = 20
/** Long names make large events, of which it takes fewer until somebody is too slow. */
const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`.padEnd(64, '-in-a-lab-with-long-names'))
/** 20 messages a second on each. */
const BEAT_MS = 500
const AT_A_BEAT = 10
const COUNT = repeats(36_000)
/** What may wait for one listener: 64 kB, and what came until it was seen that he is dropped. */
const WAITING_BYTES = 80_000
/**
 * What it may take more than before anybody looked, for all of them: V8 tidies up late. Measured over 36,000 messages: 75 MB
 * more, and no more from the half on; 45 MB without any listener.
 */
const MORE_BYTES = 128e6

test(`${BROWSERS} browsers, a scraper, and who is slow or gone: every message is kept`, {
  timeout: 600_000
}, async () => {
  const { recorder, speakers, port, url } = await Served.start(streams)
  const texts = [...messages({ seed: 3, streams: ['spin30'], count: COUNT })].map((message) => message.text)
  const before = await anonymousBytes(recorder.pid)
  let most = before
  let spoken = 0
  const speakOn = async (): Promise<void> => {
    const said = streams.map((stream) => {
      const some = Array.from({ length: AT_A_BEAT }, () => texts[spoken++ % texts.length]!)
      return speakers.get(stream)!.say(some)
    })
    await Promise.all([...said, sleep(world.timers, BEAT_MS)])
    most = Math.max(most, await anonymousBytes(recorder.pid))
  }
  let scrapes = 0
  const leaving = new AbortController()
  const scraping = (async () => {
    for (; !leaving.signal.aborted; await sleep(world.timers, 1000, leaving.signal)) {
      expect(await text(`${url}/metrics`)).toContain('understudy_verdict')
      scrapes++
    }
  })()

  const browsers = await Promise.all(Array.from({ length: BROWSERS }, () => Listener.join(url)))
  const vanishing = await Promise.all(Array.from({ length: OTHERS }, () => Listener.join(url)))
  const stuck = await Stuck.join(port, OTHERS)
  while ((await connections(port)) < BROWSERS + 2 * OTHERS) await speakOn()
  for (const listener of vanishing) listener.vanish()
  // Who is gone is forgotten at once, who is slow when too much waits for him; the scraper stays.
  while ((await connections(port)) > BROWSERS + 1) await speakOn()
  const told = Math.max(...browsers.map(({ bytes }) => bytes))
  for (const taken of await stuck.drained()) expect(told - taken).toBeLessThan(WAITING_BYTES)
  while (spoken < COUNT) await speakOn()

  // Everybody else is told to the end.
  const shown = new Map<string, string>()
  const isUpToDate = ({ values }: Listener): boolean => [...shown].every(([id, words]) => values.get(id) === words)
  do {
    await sleep(world.timers, 100)
    for (const [, id, words] of (await text(url)).matchAll(/<span id="((?:last|today)-[^"]+)">([^<]*)</g))
      shown.set(id!, words!)
  } while (!browsers.every(isUpToDate))
  expect(shown.size).toBe(2 * streams.length)
  for (const listener of browsers) listener.vanish()
  leaving.abort()
  await scraping
  while ((await connections(port)) > 0) await sleep(world.timers, 100)
  expect(scrapes).toBeGreaterThan(0)
  expect(most - before).toBeLessThan(MORE_BYTES)

  expect(await recorder.stop()).toMatchObject({ code: 0 })
  const exported = await recorder.exported(streams)
  for (const stream of streams)
    expect(exported.get(stream), stream).toEqual(speakers.get(stream)!.said.map((one) => one.text))
})

async function text(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text()
}

/** What a process holds that is its own. */
async function anonymousBytes(pid: number): Promise<number> {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** Connections to a port of 127.0.0.1 that who listens there has not closed. */
async function connections(port: number): Promise<number> {
  const [ESTABLISHED, CLOSE_WAIT] = ['01', '08']
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/))
  return rows.filter(([, at, , state]) => at === local && (state === ESTABLISHED || state === CLOSE_WAIT)).length
}
