import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { sleep } from '../../src/world/time.ts'
import { world } from '../relay/rig/relays.ts'
import { launch, open } from './rig/browser.ts'
import { Served } from './rig/served.ts'

/** The page of a running recorder in a real browser, which is looked at all the time. */

const STREAM = 'spin30'

let browser: Browser

beforeAll(async () => {
  browser = await launch()
})

afterAll(() => browser.close())

async function look(url: string): Promise<Page> {
  const { page } = await open(browser, url)
  onTestFinished(() => page.context().close())
  return page
}

const told = (page: Page, selector: string, words: string | RegExp): Promise<void> =>
  page.locator(selector, { hasText: words }).waitFor({ state: 'attached' })

test('what comes is on the page within a second of its commit', async () => {
  const { recorder, speakers, url } = await Served.start([STREAM])
  const page = await look(url)
  const delaysMs: number[] = []
  for (let count = 1; count <= 10; count++) {
    await speakers.get(STREAM)!.say([`{"message":${count}}`])
    while ((await recorder.acknowledged()).get(STREAM) !== count) await sleep(world.timers, 5)
    const committed = performance.now()
    await told(page, `#today-${STREAM}`, new RegExp(`^${count}$`))
    delaysMs.push(performance.now() - committed)
  }
  // However busy the machine is, one of ten is not held up by that.
  expect(Math.min(...delaysMs)).toBeLessThan(1000)
})

test('while the recorder is away the page says so, and comes back to life by itself', async () => {
  const served = await Served.start([STREAM])
  const page = await look(served.url)
  const [speaker] = [...served.speakers.values()]
  await speaker!.say(['{"before":1}'])
  await told(page, `#today-${STREAM}`, /^1$/)
  await page.evaluate("window.mark = 'not loaded anew'")
  await served.restart(() => told(page, '#connection', 'No connection since'))
  await told(page, '#connection', /^$/)
  await speaker!.say(['{"after":1}'])
  // What came before the restart is counted from the journal.
  await told(page, `#today-${STREAM}`, /^2$/)
  expect(await page.evaluate('window.mark')).toBe('not loaded anew')
})

test('after a restart, which nobody stays in over, the page asks for the password by itself', async () => {
  const served = await Served.start([STREAM], 'address = "0.0.0.0"')
  const password = (await readFile(`${served.recorder.data}/status-password`, 'utf8')).trim()
  const page = await look(served.url)
  const enter = async (): Promise<void> => {
    await page.fill('#password', password)
    await page.press('#password', 'Enter')
    await page.waitForSelector('.verdict')
  }
  await enter()
  await served.restart(() => told(page, '#connection', 'No connection since'))
  await page.waitForSelector('#password')
  await enter()
})
