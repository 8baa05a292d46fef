import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { atEnd } from './cleanup.ts'

/** Looks at a page once, as soon as it is served; fails when it is not for 10 s. */
export async function look(url: string): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return void (await answer.text())
    if (performance.now() > deadline) throw new Error(`${url} is not served`)
    await pause(100)
  }
}

/** So many event streams of the page at `url`, each read as it comes, and its metrics each second. Gives what ends it. */
export async function listen(url: string, count: number): Promise<() => void> {
  const join = async (): Promise<IncomingMessage> => {
    const request = get(`${url}/api/events`, { agent: false })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume().on('error', () => {})
    return response
  }
  const streams = await Promise.all(Array.from({ length: count }, join))
  const dropped = (): never => {
    throw new Error('a listener was dropped')
  }
  for (const stream of streams) stream.once('close', dropped)
  const scraping = setInterval(() => void look(`${url}/metrics`), 1000)
  return atEnd(() => {
    clearInterval(scraping)
    for (const stream of streams) stream.off('close', dropped).destroy()
  })
}
