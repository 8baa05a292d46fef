import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UnderstudyError } from '../errors.ts'
import { loadConfig } from './load.ts'
import { Pi } from './pi.test-help.ts'

const file = '/etc/understudy/understudy.toml'
const example = readFileSync(new URL('../../docs/understudy.example.toml', import.meta.url), 'utf8')

type Given = { flags?: { data?: string; credentials?: string }; environment?: Record<string, string>; file?: string }

async function load(toml: string | Uint8Array | undefined, { flags = {}, environment = {}, file: named }: Given = {}) {
  const pi = new Pi()
  if (toml !== undefined) await pi.put(file, toml)
  return loadConfig(pi.world, { file: named, flags, environment })
}

async function faults(toml: string | Uint8Array | undefined, given?: Given): Promise<string> {
  const error = await load(toml, given).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UnderstudyError)
  expect((error as UnderstudyError).code).toBe('UNDERSTUDY_CONFIG_INVALID')
  return (error as UnderstudyError).detail
}

test('without a file the defaults hold', async () => {
  expect(await load(undefined)).toEqual({
    site: 'understudy',
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    streams: { credentialsDirectory: '/etc/practable', only: [], sockets: [] },
    relay: { readIntervalMs: 480, pingIntervalMs: 10_000, silenceTimeoutMs: 30_000, live: [] },
    journal: {
      commitIntervalMs: 500,
      storeSizeBytes: 256e6,
      storeAgeMs: 604_800_000,
      minFreeBytes: 500e6,
      sealedIsConfirmed: false,
      memoryBytes: 64e6
    },
    host: {},
    wifi: { ssid: undefined, password: undefined, identity: undefined, caFile: undefined, country: undefined },
    network: { proxy: undefined, caFile: undefined, address: undefined, gateway: undefined, dns: [] },
    ssh: { keys: [] },
    clock: { trust: false, servers: [] },
    data: { directory: '/var/lib/understudy' },
    primary: { dataPath: undefined, compPath: undefined },
    sync: {
      port: 22,
      schedule: '17 * * * *',
      timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
      recheckMs: 30 * 86_400_000
    },
    captures: [
      {
        name: 'daily',
        schedule: '0 0 * * *',
        durationMs: 86_400_000,
        timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
        streams: [],
        format: 'envelope',
        compression: 'zstd'
      }
    ],
    analytics: { corrected: false },
    standby: { mode: 'observe', afterMs: 2000 },
    terms: [],
    health: { unheardMs: 300_000, enduranceBytes: undefined, lookIntervalMs: 2000 },
    notify: { url: undefined },
    status: { address: '127.0.0.1', port: 8088, names: [], passwordFile: undefined, showStudents: false },
    log: { level: 'info' }
  })
})

describe('the example', () => {
  test('is exactly the defaults', async () => {
    expect(await load(example)).toEqual(await load(undefined))
  })

  test('is still valid with the keys that are commented out, and those change something', async () => {
    const config = await load(example.replaceAll(/^#(\w+ = |\[\[)/gm, '$1'))
    expect(config.network).toMatchObject({ proxy: 'http://proxy.example:3128', caFile: '/etc/understudy/ca.pem' })
    for (const said of [config.host, config.wifi, config.network]) expect(Object.values(said)).not.toContain(undefined)
    expect(Object.values(config.primary)).not.toContain(undefined)
    expect(Object.values(config.sync)).not.toContain(undefined)
    expect(config.terms).toEqual([{ from: '2026-09-14', to: '2026-12-18' }])
    expect([config.health.enduranceBytes, config.notify.url]).toEqual([30e12, 'https://example.org/understudy'])
    expect(config.sync.target).toEqual({ user: 'understudy', host: 'primary.example', directory: '/srv/understudy' })
  })

  test('names every key', async () => {
    const everyKey = await faults(
      ['[x]', ...Object.keys(await load('')).map((section) => `[${section}]\nzzzzzzzz = 1`)]
        .join('\n')
        .replace('[site]', '[y]')
    )
    const keys = [...everyKey.matchAll(/expected one of (.*)/g)].flatMap(([, list]) => list!.split(', '))
    expect(keys.length).toBeGreaterThan(20)
    for (const key of keys) expect(example).toMatch(new RegExp(`^(#?\\[+${key}\\]+|#?${key} = )`, 'm'))
  })
})

describe('one wrong value', () => {
  test.each([
    ['[relay]\nread_interval = 500', 'relay.read_interval: found a number, expected a duration: '],
    ['[relay]\nread_interval = "500"', 'relay.read_interval: found a number without a unit, expected a duration: '],
    ['[relay]\nread_interval = "500 sec"', 'relay.read_interval: found an unknown unit, expected a duration: '],
    ['[relay]\nread_interval = "1ms"', 'relay.read_interval: found less, expected 10ms to 5s'],
    ['[relay]\nsilence_timeout = "15s"', 'relay.silence_timeout: found less than two ping intervals'],
    [
      '[relay]\nread_intervall = "1s"',
      'relay.read_intervall: found an unknown key, expected perhaps relay.read_interval'
    ],
    [
      '[relay]\ncommit_interval = "1s"',
      'relay.commit_interval: found an unknown key, expected perhaps journal.commit_interval'
    ],
    ['store_size = "1GB"', 'store_size: found an unknown key, expected perhaps journal.store_size'],
    ['[relais]\nx = 1', 'relais: found an unknown key, expected perhaps relay'],
    ['[clock]\nzzzzzzzz = 1', "clock.zzzzzzzz: found an unknown key, perhaps a newer release's, expected one of trust"],
    ['[clock]\ntoString = 1', "clock.toString: found an unknown key, perhaps a newer release's, expected one of trust"],
    [
      '[clock]\n"__proto__" = 1',
      "clock.__proto__: found an unknown key, perhaps a newer release's, expected one of trust"
    ],
    [
      '[clock]\n"a b" = 1',
      "clock.(a strange key): found an unknown key, perhaps a newer release's, expected one of trust"
    ],
    ['[clock]\ntrust = "yes"', 'clock.trust: found other text, expected true or false'],
    ['[journal]\nmemory = "64KB"', 'journal.memory: found an unknown unit, expected a size: '],
    ['[[relay]]\nlive = []', 'relay: found a list, expected a table'],
    ['relay = 2026-01-01', 'relay: found a date, expected a table'],
    ['[streams]\nonly = "spin30"', 'streams.only: found other text, expected a list, '],
    [
      '[streams]\nonly = ["spin3*", "spin{1..3}"]',
      'streams.only, entry 2: found other text, expected a stream name or a '
    ],
    [
      '[streams]\nsockets = ["http://localhost/ws/spin30"]',
      'streams.sockets, entry 1: found other text, expected a websocket'
    ],
    [
      '[streams]\nsockets = ["ws://localhost:8888/"]',
      'streams.sockets, entry 1: found other text, expected a websocket'
    ],
    ['[data]\ndirectory = "data"', 'data.directory: found other text, expected an absolute path'],
    ['[network]\nproxy = "proxy.example"', 'network.proxy: found other text, expected the URL of an HTTP proxy'],
    ['[log]\nlevel = "loud"', 'log.level: found other text, expected "debug", "info", "warn", "error"'],
    ['site = "a/b"', 'site: found other text, expected at most 64 letters'],
    ['time_zone = "Europe/Edinburgh"', 'time_zone: found other text, expected a time zone'],
    ['[notify]\nurl = "http://example.org/"', 'notify.url: found other text, expected an https URL'],
    ['[[term]]\nfrom = 2026-09-14', 'term, entry 1.to: found nothing, expected it to be given'],
    ['[[term]]\nfrom = "2026-09-14"\nto = 2026-12-18', 'term, entry 1.from: found other text, expected a day'],
    ['[[term]]\nfrom = 2026-09-14T08:00:00Z\nto = 2026-12-18', 'term, entry 1.from: found a date, expected a day'],
    ['[[term]]\nfrom = 2026-09-14\nto = 2026-09-13', 'term, entry 1.to: found a day before `from`'],
    ['[term]\nfrom = 2026-09-14', 'term: found a table, expected tables'],
    ['[host]\nname = "Understudy"', 'host.name: found other text, expected a name'],
    ['[wifi]\nssid = ""', "wifi.ssid: found other text, expected a network's name"],
    ['[wifi]\npassword = "correct horse"', 'wifi.ssid: found nothing, expected it to be given'],
    ['[wifi]\nssid = "a"\npassword = "short"', 'wifi.password: found some, expected 8 to 63'],
    ['[wifi]\nssid = "a"\nidentity = "b"', 'wifi.password: found nothing, expected it to be given'],
    ['[wifi]\nssid = "a"\nidentity = "b"\npassword = "a\\nb"', 'wifi.password: found other text, expected one line'],
    ['[wifi]\ncountry = "gb"', 'wifi.country: found other text, expected a country'],
    ['[network]\naddress = "192.168.1.20"', 'network.address: found other text, expected an IPv4 address with'],
    ['[network]\ngateway = "192.168.1.1"', 'network.address: found nothing, expected it to be given'],
    ['[network]\ndns = ["1.1.1"]', 'network.dns, entry 1: found other text, expected an IP address'],
    ['[ssh]\nkeys = ["ssh-ed25519 AAAA"]', 'ssh.keys, entry 1: found other text, expected one line'],
    ['[ssh]\nkeys = ["command=\\"x\\" ssh-ed25519 AAAA"]', 'ssh.keys, entry 1: found other text, expected one line'],
    ['[clock]\nservers = ["a b"]', 'clock.servers, entry 1: found other text, expected a host name'],
    ['[clock]\nservers = ["1.2.3.4.5"]', 'clock.servers, entry 1: found other text, expected a host name'],
    ['capture = 1', 'capture: found a number, expected tables'],
    ['site = \n', 'line 1, column 8: invalid value, expected TOML'],
    ['[log]\nlevel = "info', 'line 2, column 9: unfinished string, expected TOML']
  ])('%j', async (toml, fault) => {
    const detail = await faults(toml)
    expect(detail.startsWith(`${file}: ${fault}`), detail).toBe(true)
    expect(detail).not.toContain('\n')
  })

  test('all of them are told at once', async () => {
    const detail = await faults('a = 1\nb = 2\n[relay]\nread_interval = 1\nxx = 1\nyy = 1\n[clock]\ntrust = 1')
    for (const place of ['a', 'b', 'relay.read_interval', 'relay.xx', 'relay.yy', 'clock.trust']) {
      expect(detail).toContain(`${file}: ${place}: found`)
    }
  })

  test('is never shown', async () => {
    const secret = 'hunter2-hunter2'
    const values = [
      '[network]\nproxy = "§"',
      '[network]\nproxy = "§',
      '[relay]\nlive = ["§ "]',
      '[§',
      '"§ §" = 1',
      '§ § = 1',
      'site = "§/"'
    ]
    for (const toml of values) {
      const error = await load(toml.replaceAll('§', secret)).catch((error: Error) => error)
      expect(error).toBeInstanceOf(UnderstudyError)
      expect([(error as Error).stack, (error as Error).cause].join()).not.toContain(secret)
    }
  })

  test('of the environment or a flag is named as such', async () => {
    const environment = { LOG_URL: 'http://localhost/spin30', DATA_PATH: '/a\0' }
    const detail = await faults('[streams]\nsockets = ["ws://localhost/a"]', { environment, flags: { data: '' } })
    expect(detail.split('\n').map((line) => line.trim().split(':')[0])).toEqual(['LOG_URL', '--data', 'DATA_PATH'])
  })
})

describe('what wins', () => {
  const toml = '[data]\ndirectory = "/file"\n[streams]\ncredentials = "/file"\nsockets = ["ws://localhost/ws/a"]'
  const environment = {
    UNDERSTUDY_DATA: '/environment',
    UNDERSTUDY_CREDENTIALS: '/environment',
    LOG_URL: 'ws://localhost:8888/ws/spin30',
    DATA_PATH: '/data',
    COMP_PATH: '/comp'
  }

  test('the environment over the file', async () => {
    const config = await load(toml, { environment })
    expect(config.data.directory).toBe('/environment')
    expect(config.streams.credentialsDirectory).toBe('/environment')
    expect(config.streams.sockets).toEqual(['ws://localhost/ws/a', 'ws://localhost:8888/ws/spin30'])
    expect(config.primary).toEqual({ dataPath: '/data', compPath: '/comp' })
  })

  test('a flag over the environment, also over a wrong value in the file', async () => {
    const wrong = toml.replaceAll('"/file"', '5')
    const config = await load(wrong, { environment, flags: { data: '/flag', credentials: '/flag' } })
    expect([config.data.directory, config.streams.credentialsDirectory]).toEqual(['/flag', '/flag'])
  })

  test('empty variables count as not set', async () => {
    const empty = { UNDERSTUDY_CONFIG: '', UNDERSTUDY_DATA: '', LOG_URL: '', DATA_PATH: '' }
    expect(await load(undefined, { environment: empty })).toEqual(await load(undefined))
  })

  test('a section that is no table is told, whatever overrides it', async () => {
    const detail = await faults('data = 5\nstreams = 5', { environment, flags: { data: '/flag' } })
    expect(detail).toContain(`${file}: data: found a number, expected a table`)
    expect(detail).toContain(`${file}: streams: found a number, expected a table`)
  })
})

describe('the file', () => {
  test.each<[string, Given]>([
    ['by --config', { file: '/other.toml' }],
    ['by UNDERSTUDY_CONFIG', { environment: { UNDERSTUDY_CONFIG: '/other.toml' } }]
  ])('named %s must be there', async (_, given) => {
    await expect(load('', given)).rejects.toMatchObject({
      code: 'UNDERSTUDY_CONFIG_UNREADABLE',
      detail: '/other.toml: ENOENT'
    })
  })

  test('may begin with a byte order mark and have Windows line ends', async () => {
    expect(await load(`\uFEFF${example.replaceAll('\n', '\r\n')}`)).toEqual(await load(undefined))
  })

  test.each([
    ['not UTF-8', Buffer.from('site = "\xff"', 'latin1')],
    ['too large', Buffer.alloc(1_000_001, '#')]
  ])('%s cannot be read', async (_, bytes) => {
    await expect(load(bytes)).rejects.toMatchObject({ code: 'UNDERSTUDY_CONFIG_UNREADABLE' })
  })
})

test('ten thousand mutated configs: a config or one coded error', async () => {
  const filled = Buffer.from(example.replaceAll(/^#(\w+ = |\[\[)/gm, '$1').replaceAll(/^#.*\n/gm, ''))
  const pieces = [
    '"',
    '\n',
    '[',
    ']',
    '[[',
    '= ',
    '#',
    '{',
    ',',
    '.',
    '9',
    '"""',
    "'",
    '__proto__',
    '\\',
    '1h',
    'kB',
    '\0',
    '\xff'
  ]
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 }))
  const mutation = fc.record({
    at: fc.nat(filled.length),
    cut: fc.oneof(fc.nat(3), fc.nat(60)),
    put: fc.oneof(
      piece.map((text) => Buffer.from(text, 'latin1')),
      fc.nat(filled.length).map((at) => filled.subarray(at, at + 40))
    )
  })
  const codes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), async (mutations) => {
      const bytes = mutations.reduce(
        (bytes, { at, cut, put }) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
        filled
      )
      try {
        await load(bytes)
        codes.add('valid')
      } catch (error) {
        if (!(error instanceof UnderstudyError)) throw error
        codes.add(error.code)
      }
    }),
    { numRuns: 10_000 }
  )
  expect([...codes].sort()).toEqual(['UNDERSTUDY_CONFIG_INVALID', 'UNDERSTUDY_CONFIG_UNREADABLE', 'valid'])
}, 120_000)

describe('captures', () => {
  const capture = (name: string, more = ''): string =>
    `[[capture]]\nname = "${name}"\nschedule = "0 * * * *"\nduration = "1h"\n${more}`

  test("are in the site's zone unless they have their own", async () => {
    const config = await load(`time_zone = "Asia/Kathmandu"\n${capture('a')}${capture('b', 'time_zone = "Etc/UTC"')}`)
    expect(config.captures.map(({ name, timeZone }) => [name, timeZone])).toEqual([
      ['a', 'Asia/Kathmandu'],
      ['b', 'Etc/UTC']
    ])
  })

  test('have all formats of an export; files of lines are compressed by zstd unless it is said otherwise', async () => {
    const formats = ['envelope', 'raw', 'parquet', 'primary']
    const config = await load(formats.map((format) => capture(format, `format = "${format}"\n`)).join(''))
    expect(config.captures.map(({ format, compression }) => [format, compression])).toEqual(
      formats.map((format) => [format, 'zstd'])
    )
    expect((await load(capture('a', 'compression = "gzip"'))).captures[0]?.compression).toBe('gzip')
  })

  test('can be left out altogether', async () => {
    expect((await load('capture = []')).captures).toEqual([])
  })

  test.each([
    [capture('a') + capture('A'), 'capture: found a name twice'],
    [capture('../a'), 'capture, entry 1.name: found other text, expected at most 64'],
    [
      capture('a') + capture('b', 'stream = 1'),
      'capture, entry 2.stream: found an unknown key, expected perhaps capture, entry 2.streams'
    ],
    [capture('a').replace(/name.*/, ''), 'capture, entry 1.name: found nothing, expected it'],
    [capture('a').replace('0 *', '0 0 *'), 'capture, entry 1.schedule: found other text, expected a cron expression'],
    [capture('a', 'format = "csv"'), 'capture, entry 1.format: found other text, expected "envelope" or "raw" or'],
    [
      capture('a', 'format = "parquet"\ncompression = "gzip"'),
      'capture, entry 1.compression: found some, expected none'
    ]
  ])('%j', async (toml, fault) => {
    expect(await faults(toml)).toContain(`${file}: ${fault}`)
  })
})
