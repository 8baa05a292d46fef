import { describe, expect, test, vi } from 'vitest'
import type { Log } from '../log.ts'
import { credentialFiles } from '../sim/relay/credentials.ts'
import type { Found } from './credentials.ts'
import { Discovery } from './discovery.ts'
import { Pi } from './pi.test-help.ts'

const folder = '/etc/practable'

function setUp(streams: { only?: string[]; sockets?: string[] } = {}) {
  const pi = new Pi()
  const { files } = pi.world
  const warnings: string[] = []
  const log: Log = { debug() {}, info() {}, error() {}, warn: (_, message) => void warnings.push(message) }
  const config = { streams: { credentialsDirectory: folder, only: [], sockets: [], ...streams } }
  const discovery = new Discovery(pi.world, config, log)
  const changes: string[][] = []
  /** Puts a stream's pair there, issued that many days after another. */
  const put = async (stream: string, day = 0): Promise<void> => {
    const { accessFile, tokenFile } = pairOf(stream, day)
    await pi.put(`${folder}/${accessFile.name}`, accessFile.content)
    await pi.put(`${folder}/${tokenFile.name}`, tokenFile.content)
  }
  const watch = async (): Promise<Found> => {
    const found = await discovery.read()
    discovery.watch((now) => changes.push(names(now)))
    return found
  }
  return { pi, files, warnings, discovery, changes, put, watch, pass: (ms: number) => pi.simulation.run(ms) }
}

function pairOf(stream: string, day: number) {
  const nowMs = Date.UTC(2026, 10, 2 + day)
  return credentialFiles(stream, { secret: 'secret', audience: 'https://relay.example', nowMs })
}

const names = ({ sources }: Found): string[] => sources.map(({ stream, kind }) => `${stream} ${kind}`)

test('the folder gives the streams, narrowed by names and patterns', async () => {
  const { warnings, discovery, put } = setUp({ only: ['spin3*', 'pend1', 'spni*'] })
  for (const stream of ['spin30', 'spin31', 'spin4', 'pend1']) await put(stream)
  const found = await discovery.read()
  expect(names(found)).toEqual(['pend1 code', 'spin30 code', 'spin31 code'])
  expect([...found.tokens.keys()]).toEqual(['pend1', 'spin30', 'spin31'])
  expect(warnings).toEqual(['streams.only: spni* matches no credential file'])
})

describe('sockets', () => {
  test('are streams too, named by their last part and not narrowed', async () => {
    const { warnings, discovery, put } = setUp({ only: ['spin30'], sockets: ['ws://localhost:8888/ws/spin4'] })
    await put('spin30')
    expect(names(await discovery.read())).toEqual(['spin30 code', 'spin4 socket'])
    expect(warnings).toEqual([])
  })

  test('give way to credential files, with a warning', async () => {
    const { discovery, put } = setUp({ sockets: ['ws://localhost:8888/ws/spin30'] })
    await put('spin30')
    const found = await discovery.read()
    expect(names(found)).toEqual(['spin30 code'])
    expect(found.problems).toMatchObject([{ stream: 'spin30', severity: 'warning' }])
  })

  test('do without a folder', async () => {
    const { discovery } = setUp({ sockets: ['ws://localhost:8888/ws/spin30'] })
    const found = await discovery.read()
    expect(names(found)).toEqual(['spin30 socket'])
    expect(found.problems).toMatchObject([{ severity: 'warning', code: 'UNDERSTUDY_CREDENTIALS_UNREADABLE' }])
  })

  test('of one stream: the last one named is meant; the same one twice is no matter', async () => {
    const { discovery } = setUp({ sockets: ['ws://a/ws/spin30', 'ws://b/ws/spin30', 'ws://b/ws/spin30'] })
    const found = await discovery.read()
    expect(found.sources).toEqual([{ stream: 'spin30', kind: 'socket', url: 'ws://b/ws/spin30' }])
    expect(found.problems).toHaveLength(2)
  })

  test('serve while the files are bad from the start', async () => {
    const { pi, discovery } = setUp({ sockets: ['ws://localhost:8888/ws/spin30'] })
    await pi.put(`${folder}/log.token.spin30`, 'x')
    expect(names(await discovery.read())).toEqual(['spin30 socket'])
  })
})

describe('while watching', () => {
  test('nothing is told while nothing changes', async () => {
    const { changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    await pass(60_000)
    expect(changes).toEqual([])
  })

  test('new, renewed and removed files are told of once two looks agree', async () => {
    const { pi, changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    await put('spin31')
    await pass(9000)
    expect(changes).toEqual([])
    await pass(1000)
    expect(changes).toEqual([['spin30 code', 'spin31 code']])
    await put('spin30', 1)
    await pass(10_000)
    expect(changes).toHaveLength(2)
    await pi.remove(`${folder}/log.access.spin30`)
    await pi.remove(`${folder}/log.token.spin30`)
    await pass(10_000)
    expect(changes[2]).toEqual(['spin31 code'])
  })

  test('files that keep changing are not read', async () => {
    const { changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    for (let day = 1; day < 10; day++) {
      await put('spin31', day)
      await pass(5000)
    }
    expect(changes).toEqual([])
    await pass(5000)
    expect(changes).toHaveLength(1)
  })

  test.each(['', 'not a token', undefined])('a bad file (%j) never replaces a good one', async (content) => {
    const { pi, warnings, discovery, put, watch, pass } = setUp()
    await put('spin30')
    await put('spin31')
    const { sources, tokens } = await watch()
    if (content === undefined) await pi.remove(`${folder}/log.token.spin30`)
    else await pi.put(`${folder}/log.token.spin30`, content)
    await pass(10_000)
    const now = await discovery.read()
    expect(now.sources).toEqual(sources)
    expect(now.tokens).toEqual(tokens)
    expect(warnings).toEqual([expect.stringContaining('; the former one stays in use')])
    await put('spin30', 1)
    await pass(10_000)
    const renewed = await discovery.read()
    expect(renewed.problems).toEqual([])
    expect(renewed.sources).not.toEqual(sources)
  })

  test('a file that changes while it is read is not taken', async () => {
    const { files, discovery, changes, put, watch, pass } = setUp()
    await put('spin30')
    const { sources } = await watch()
    await put('spin30', 1)
    await pass(5000)
    const { readFile } = files
    const reading = vi.spyOn(files, 'readFile').mockImplementation(async (path) => {
      const { tokenFile } = pairOf('spin30', 2)
      void files.writeFile(`${folder}/${tokenFile.name}`, tokenFile.content)
      return readFile.call(files, path)
    })
    await pass(5000)
    expect(reading).toHaveBeenCalled()
    expect(changes).toEqual([])
    reading.mockRestore()
    await pass(10_000)
    expect(changes).toHaveLength(1)
    expect((await discovery.read()).sources).not.toEqual(sources)
  })

  test('a folder that stays as it is is read once more after the start, then only looked at', async () => {
    const { files, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    const reading = vi.spyOn(files, 'readFile')
    await pass(60_000)
    expect(reading).toHaveBeenCalledTimes(2)
  })

  test('a file that becomes readable without another change is read', async () => {
    const { files, warnings, changes, put, watch, pass } = setUp()
    await put('spin30')
    const reading = vi.spyOn(files, 'readFile').mockRejectedValue(Object.assign(new Error(), { code: 'EACCES' }))
    await watch()
    await pass(30_000)
    expect(warnings).toEqual(['log.access.spin30: EACCES'])
    reading.mockRestore()
    await pass(5000)
    expect(changes).toEqual([['spin30 code']])
  })

  test('a folder that cannot be read takes no stream away, and is told', async () => {
    const { pi, warnings, changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    pi.machine.disk.unreadable = true
    await pass(30_000)
    expect(changes).toEqual([['spin30 code']])
    expect(warnings).toEqual(['/etc/practable: EIO'])
    pi.machine.disk.unreadable = false
    await put('spin31')
    await pass(10_000)
    expect(changes.at(-1)).toEqual(['spin30 code', 'spin31 code'])
  })

  test('a stopped one is silent', async () => {
    const { discovery, changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    await put('spin31')
    await pass(5000)
    discovery.stop()
    await pass(60_000)
    expect(changes).toEqual([])
  })

  test('one stopped during a look is silent too', async () => {
    const { files, discovery, changes, put, watch, pass } = setUp()
    await put('spin30')
    await watch()
    await put('spin31')
    await pass(5000)
    const { readFile } = files
    const reading = vi.spyOn(files, 'readFile').mockImplementation((path) => {
      discovery.stop()
      return readFile.call(files, path)
    })
    await pass(60_000)
    expect(reading).toHaveBeenCalledTimes(4)
    expect(changes).toEqual([])
  })
})
