import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launch, open, picture, violations } from './rig/browser.ts'
import { Shown } from './rig/shown.ts'
import { recorderIn, states } from './rig/states.ts'

/** The page in a real browser: each state it can be in, on a phone and on a desk, by day and by night. */

const ASSET_BYTES = 30_000
const phone = { viewport: { width: 320, height: 640 }, colorScheme: 'dark' } as const
const desk = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' } as const

let browser: Browser

beforeAll(async () => {
  browser = await launch()
})

afterAll(() => browser.close())

async function shownIn<T>(name: string, look: (shown: Shown) => Promise<T>): Promise<T> {
  const shown = await Shown.start(recorderIn(name))
  try {
    return await look(shown)
  } finally {
    await shown.stop()
  }
}

describe.each(Object.keys(states))('%s', (name) => {
  test('is told, on a phone and on a desk, and nobody is left out', () =>
    shownIn(name, async ({ url }) => {
      for (const [where, options] of Object.entries({ phone, desk })) {
        const { page, complaints } = await open(browser, url, options)
        const text = await page.innerText('main')
        for (const said of states[name]!.shows) expect(text).toContain(said)
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(options.viewport.width)
        await picture(page, `${name}-${where}`)
        expect(await violations(page)).toEqual([])
        expect(complaints).toEqual([])
        await page.context().close()
      }
    }))
})

test('every page is read by everybody, and fits a phone', () =>
  shownIn('unheard', async (shown) => {
    const { page, complaints } = await open(browser, `${shown.url}/login`, phone)
    await picture(page, 'login')
    expect(await violations(page)).toEqual([])
    await page.fill('#password', await shown.password())
    await page.press('#password', 'Enter')
    await page.waitForSelector('.verdict')
    for (const path of ['/streams/spin30', '/graphs', '/graphs/students', '/captures/', '/']) {
      await page.goto(shown.url + path)
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(320)
      await picture(page, `page${path.replaceAll('/', '-')}`)
      expect(await violations(page), path).toEqual([])
    }
    await page.goto(`${shown.url}/graphs/students`)
    await page.click('table a')
    await page.waitForSelector('.graph')
    await picture(page, 'page-student')
    expect(await violations(page)).toEqual([])
    expect(complaints).toEqual([])
  }))

test('without JavaScript it says the same', () =>
  shownIn('unheard', async ({ url }) => {
    const [without, withIt] = await Promise.all(
      [false, true].map(async (javaScriptEnabled) => {
        const { page } = await open(browser, url, { ...desk, javaScriptEnabled })
        return page.innerText('main')
      })
    )
    expect(without).toBe(withIt)
    expect(without).toContain('spin30 is not heard')
  }))

test('it can be walked through with the keyboard', () =>
  shownIn('unheard', async ({ url }) => {
    const { page } = await open(browser, url, desk)
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Show spin30')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${url}/streams/spin30`)
  }))

test('the strip of a day has its words, and forms besides colours', () =>
  shownIn('unheard', async ({ url }) => {
    const { page } = await open(browser, url, desk)
    const strip = page.locator('.strip').first()
    expect(await strip.getAttribute('aria-label')).toMatch(
      /^Last 24 hours: .*not heard 2 h in 2 gaps \(host rebooted, connection lost\)$/
    )
    const heights = await strip
      .locator('rect')
      .evaluateAll((all) => all.map((one) => `${one.getAttribute('class')} ${one.getAttribute('height')}`))
    expect(new Set(heights)).toEqual(new Set(['recorded 18', 'quiet 6', 'gap 20']))
  }))

test('everything it loads is light', () => {
  const folder = new URL('../../src/status/assets/', import.meta.url)
  const bytes = readdirSync(folder).map((name) => gzipSync(readFileSync(new URL(name, folder))).length)
  expect(bytes.length).toBeGreaterThan(2)
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(ASSET_BYTES)
})
