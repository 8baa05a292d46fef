import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import { loadCommands } from '../cli/program.ts'
import { BOOT, DAY_S, FreshPi, LINE, TO } from './fixtures.ts'

/** Whatever happens meanwhile: nothing that was brought is lost, nothing that was in use is worse than it was. */

await loadCommands()

const STREAMS = ['spin30', 'spin31', 'spin32']

interface Prepared {
  readonly pi: FreshPi
  /** By stream, the tokens that count from now on. */
  readonly tokens: ReadonlyMap<string, string>
  readonly formerToken: string
}

/** A Pi that records spin30, to which a card brings a renewed token, a new stream, another one in a tar, and another config. */
async function prepared(seed: number): Promise<Prepared> {
  const pi = new FreshPi(seed)
  const formerToken = await pi.bring('spin30', { expiresInS: DAY_S })
  await pi.put(`${BOOT}/understudy.toml`, 'site = "former"\n')
  expect(await pi.sh(LINE)).toMatchObject({ code: 0 })
  const tokens = new Map([['spin30', await pi.bring('spin30')]])
  tokens.set('spin31', await pi.bring('spin31', {}, `${BOOT}/practable`))
  const { accessFile, tokenFile, token } = pi.pairOf('spin32')
  tokens.set('spin32', token)
  const entries = [accessFile, tokenFile].map(({ name, content }) => {
    return { header: { name, size: content.length, type: 'file' as const }, body: content }
  })
  await pi.put(`${BOOT}/lab.tar`, await packTar(entries))
  await pi.put(`${BOOT}/understudy.toml`, 'site = "new"\n')
  for (const folder of [BOOT, `${BOOT}/practable`]) {
    await pi.simulation.complete(pi.files.syncDirectory(folder))
    for (const name of await pi.names(folder)) await sync(pi, `${folder}/${name}`)
  }
  return { pi, tokens, formerToken }
}

async function sync(pi: FreshPi, path: string): Promise<void> {
  if ((await pi.simulation.complete(pi.files.info(path)))?.kind !== 'file') return
  const file = await pi.simulation.complete(pi.files.open(path, 'edit'))
  await pi.simulation.complete(file.sync())
  await pi.simulation.complete(file.close())
}

function maybe(pi: FreshPi, path: string): Promise<string | undefined> {
  return pi.read(path).catch(() => undefined)
}

/** Each stream's new token is in place or still where it was brought; what the recorder reads is whole. */
async function expectNothingLost({ pi, tokens, formerToken }: Prepared): Promise<void> {
  const brought: Record<string, string> = {
    spin30: `${BOOT}/log.token.spin30`,
    spin31: `${BOOT}/practable/log.token.spin31`,
    spin32: `${BOOT}/lab.tar`
  }
  for (const [stream, token] of tokens) {
    const inPlace = (await maybe(pi, `${TO}/credentials/log.token.${stream}`))?.trim()
    expect([token, stream === 'spin30' ? formerToken : undefined]).toContain(inPlace)
    if (inPlace !== token) expect(await maybe(pi, brought[stream]!)).toContain(token)
  }
  expect(await pi.read(`${TO}/understudy.toml`)).toMatch(/^site = "(former|new)"\n[\s\S]*credentials = ".*"\n$/m)
  for (const name of await pi.names(`${TO}/credentials`)) expect(name).toMatch(/^log\.(access|token)\.spin3[012]$/)
}

async function expectDone({ pi, tokens }: Prepared, { code, err }: Ran): Promise<void> {
  expect([code, err]).toEqual([0, ''])
  for (const [stream, token] of tokens) {
    expect(await pi.read(`${TO}/credentials/log.token.${stream}`)).toBe(`${token}\n`)
  }
  expect(await pi.read(`${TO}/understudy.toml`)).toContain('site = "new"')
  expect(await pi.names(BOOT)).toEqual(['practable', 'understudy-report.txt', 'understudy.toml'])
  expect(await pi.names(`${BOOT}/practable`)).toEqual([])
  for (const stream of STREAMS) expect(await pi.report()).toContain(`${stream}       token lasts until 2027-11-02`)
}

test('the power is cut at any moment, once or twice: the next start goes on', async () => {
  let under = 0
  for (let seed = 1; seed <= 150; seed++) {
    const one = await prepared(seed)
    const { pi } = one
    const { dice } = pi.simulation
    for (const disk of [pi.machine.disk, pi.card]) disk.pace = { changeUs: [500, 1500], syncUs: [1000, 5000] }
    for (let cuts = dice.int(1, 2); cuts > 0; cuts--) {
      let ended = false
      const running = new Running(pi.machine, LINE)
      void running.result.then(() => {
        ended = true
      })
      await pi.simulation.run(dice.int(0, 180))
      under += Number(!ended)
      pi.machine.boot()
      await expectNothingLost(one)
    }
    await expectDone(one, await pi.sh(LINE))
  }
  expect(under).toBeGreaterThan(100)
})

test.each([
  ['the disk is full', (pi: FreshPi, bytes: number) => fill(pi.machine.disk, bytes), 5],
  ['the disk fails', (pi: FreshPi, bytes: number) => fail(pi.machine.disk, bytes), 5],
  // What goes from it makes room for the report.
  ['the card is full', (pi: FreshPi, bytes: number) => fill(pi.card, bytes), 0],
  ['the card fails', (pi: FreshPi, bytes: number) => fail(pi.card, bytes), 5]
])('%s after any number of bytes: it is done once it is not any more', async (_, breakIt, toldAtLeast) => {
  let told = 0
  for (let bytes = 0; bytes < 8000; bytes += 97) {
    const one = await prepared(1)
    const mend = breakIt(one.pi, bytes)
    const { out, err } = await one.pi.sh(LINE)
    expect(err).toBe('')
    told += Number(out.includes('UNDERSTUDY_PROVISION_'))
    await expectNothingLost(one)
    mend()
    await expectDone(one, await one.pi.sh(LINE))
  }
  expect(told).toBeGreaterThanOrEqual(toldAtLeast)
})

test.each(['data', 'card'])(
  'the %s disk cannot be read, or may not be written: it says so, and it is done later',
  async (which) => {
    for (const fault of ['unreadable', 'readOnly', 'syncFails'] as const) {
      const one = await prepared(2)
      const disk = which === 'data' ? one.pi.machine.disk : one.pi.card
      disk[fault] = true
      const { out, err } = await one.pi.sh(LINE)
      expect([err, out]).toEqual(['', expect.stringContaining('UNDERSTUDY_')])
      disk[fault] = false
      await expectNothingLost(one)
      await expectDone(one, await one.pi.sh(LINE))
    }
  }
)

test('a card without room for the report', async () => {
  const pi = new FreshPi()
  pi.card.capacityBytes = 0
  expect((await pi.sh(LINE)).out).toContain('UNDERSTUDY_PROVISION_REPORT')
  expect(await pi.names(BOOT)).toEqual([])
})

function fill(disk: FreshPi['card'], bytes: number): () => void {
  const { capacityBytes } = disk
  disk.capacityBytes = capacityBytes - disk.freeBytes + bytes
  return () => {
    disk.capacityBytes = capacityBytes
  }
}

function fail(disk: FreshPi['card'], bytes: number): () => void {
  disk.failsAfterBytes = bytes
  return () => {
    disk.failsAfterBytes = Number.POSITIVE_INFINITY
  }
}
