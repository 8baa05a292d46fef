import { beforeEach, describe, expect, test } from 'vitest'
import { loadCommands } from '../cli/program.ts'
import type { TokenOrder } from '../sim/relay/credentials.ts'
import type { Disk } from '../sim/world/disk.ts'
import type { Machine } from '../sim/world/machine.ts'
import type { Simulation } from '../sim/world/simulation.ts'
import { certificate } from '../world/real/fixtures.ts'
import { BOOT, DATA, DAY_S, FreshPi, LINE, TO } from './fixtures.ts'

// loading code takes real time, which does not pass in a simulation
await loadCommands()

let fresh: FreshPi
let simulation: Simulation
let pi: Machine
let card: Disk

beforeEach(async () => {
  fresh = new FreshPi()
  simulation = fresh.simulation
  pi = fresh.machine
  card = fresh.card
  await put('/proc/sys/kernel/hostname', 'raspberry\n')
  await put('/sys/class/net/lo/address', '00:00:00:00:00:00\n')
  await put('/sys/class/net/eth0/address', 'b8:27:eb:00:00:01\n')
  await put('/sys/class/net/eth0/device/uevent', '')
})

const put: FreshPi['put'] = (...given) => fresh.put(...given)
const bring: FreshPi['bring'] = (...given) => fresh.bring(...given)
const pairOf: FreshPi['pairOf'] = (...given) => fresh.pairOf(...given)
const sh: FreshPi['sh'] = (line) => fresh.sh(line)
const read: FreshPi['read'] = (path) => fresh.read(path)
const names: FreshPi['names'] = (path) => fresh.names(path)
const report: FreshPi['report'] = () => fresh.report()

describe('credentials', () => {
  test('are moved, for their owner alone, from the folder and the folders in it', async () => {
    const token = await bring('spin30')
    await bring('spin31', {}, `${BOOT}/practable`)
    expect(await sh(LINE)).toMatchObject({ code: 0, out: expect.stringContaining('2 streams can be recorded') })
    expect(await names(BOOT)).toEqual(['practable', 'understudy-report.txt'])
    expect(await names(`${BOOT}/practable`)).toEqual([])
    expect(await names(`${TO}/credentials`)).toEqual([
      'log.access.spin30',
      'log.access.spin31',
      'log.token.spin30',
      'log.token.spin31'
    ])
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${token}\n`)
    for (const name of await names(`${TO}/credentials`)) {
      const info = await simulation.complete(pi.world.files.info(`${TO}/credentials/${name}`))
      expect(info?.mode).toBe(0o600)
    }
  })

  test('of which the token lasts longer win, brought or in place', async () => {
    await bring('spin30', { expiresInS: 100 * DAY_S })
    await sh(LINE)
    const longer = await bring('spin30', { expiresInS: 200 * DAY_S })
    await sh(LINE)
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${longer}\n`)
    await bring('spin30', { expiresInS: 150 * DAY_S })
    const { out } = await sh(LINE)
    expect(out).toContain('UNDERSTUDY_PROVISION_SHORTER: /boot/firmware: log.token.spin30: ')
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${longer}\n`)
    expect(await names(BOOT)).toContain('log.token.spin30')
  })

  test('may be a new token alone', async () => {
    await bring('spin30', { expiresInS: 100 * DAY_S })
    await sh(LINE)
    const { tokenFile, token } = pairOf('spin30', { expiresInS: 300 * DAY_S })
    await put(`${BOOT}/${tokenFile.name}.txt`, `\uFEFF${tokenFile.content}\r\n`)
    await sh(LINE)
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${token}\n`)
    expect(await names(BOOT)).toEqual(['understudy-report.txt'])
  })

  test.each<[string, Partial<TokenOrder>, string]>([
    ['has expired', { expiresInS: -DAY_S }, 'it expired on 2026-11-01'],
    ['is not valid yet', { claims: { nbf: Date.UTC(2026, 11, 24) / 1000 } }, 'it is valid from 2026-12-24 on'],
    ['is for another relay', { claims: { aud: 'https://other.example' } }, 'the token is for another relay'],
    ['is for another stream', { claims: { topic: 'spin31-log' } }, 'the token is for another stream'],
    ['does not allow reading', { scopes: ['write'] }, 'a token does not allow reading']
  ])('of which the token %s stay where they are, and those in place in use', async (_, order, told) => {
    const good = await bring('spin30', { expiresInS: DAY_S })
    await sh(LINE)
    await bring('spin30', order)
    const { code, out } = await sh(LINE)
    expect(code).toBe(0)
    expect(out).toContain(`log.token.spin30: ${told}`)
    expect(await report()).toContain(`- log.token.spin30: ${told}\r\n`)
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${good}\n`)
    expect(await names(BOOT)).toEqual(['log.token.spin30', 'understudy-report.txt'])
  })

  test('in place whose token has expired since can be recorded no more, if the clock is right', async () => {
    await bring('spin30', { expiresInS: 3600 })
    await bring('spin31')
    await sh(LINE)
    await simulation.run(2 * 3_600_000)
    expect(await sh(LINE)).toMatchObject({ code: 0, out: '1 stream can be recorded\n' })
    expect(await report()).toMatch(/^spin30 +TOKEN HAS EXPIRED on 2026-11-02: ask for a new one\r$/m)
    pi.clock.setSynchronised(false)
    expect(await sh(LINE)).toMatchObject({ out: '2 streams can be recorded\n' })
  })

  test('are not judged by a clock that is not set', async () => {
    pi.clock.setSynchronised(false)
    const token = await bring('spin30', { claims: { nbf: Date.UTC(2026, 11, 24) / 1000 } })
    expect(await sh(LINE)).toMatchObject({ code: 0 })
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${token}\n`)
    expect(await report()).toContain('by a clock that is not set yet')
  })

  test('from what cannot be written are taken, left there, and it is said so', async () => {
    await bring('spin30')
    card.readOnly = true
    const { code, out } = await sh(LINE)
    expect(code).toBe(0)
    expect(out).toContain('UNDERSTUDY_PROVISION_LEFT: /boot/firmware: log.token.spin30: ')
    expect(out).toContain('UNDERSTUDY_PROVISION_REPORT: ')
    expect(await names(BOOT)).toEqual(['log.access.spin30', 'log.token.spin30'])
  })

  test('for which there is no room stay where they are', async () => {
    await bring('spin30')
    const { capacityBytes } = pi.disk
    pi.disk.capacityBytes = 0
    const { code, out } = await sh(LINE)
    expect(code).toBe(1)
    expect(out).toContain('UNDERSTUDY_PROVISION_NO_PLACE: /boot/firmware: log.token.spin30: ')
    expect(await names(BOOT)).toEqual(['log.access.spin30', 'log.token.spin30', 'understudy-report.txt'])
    pi.disk.capacityBytes = capacityBytes
    expect(await sh(LINE)).toMatchObject({ code: 0 })
    expect(await names(BOOT)).toEqual(['understudy-report.txt'])
  })

  test('on a card that cannot be read: what is in place is used', async () => {
    await bring('spin30')
    await sh(LINE)
    card.unreadable = true
    const { code, out } = await sh(LINE)
    expect(code).toBe(0)
    expect(out).toContain('UNDERSTUDY_PROVISION_SOURCE: /boot/firmware: /boot/firmware: it cannot be read (EIO)')
  })
})

describe('a config', () => {
  test('is copied with what belongs to the machine, and stays where it is', async () => {
    await put('/base.toml', '[status]\naddress = "0.0.0.0"\nport = 80\n[data]\ndisk = "/media/understudy"\n')
    await put(`${BOOT}/understudy.toml`, '\uFEFFsite = "north"\r\n[status]\r\nport = 8080\r\n')
    await bring('spin30')
    expect(await sh(`${LINE} --base /base.toml`)).toMatchObject({ code: 0 })
    expect(await names(BOOT)).toContain('understudy.toml')
    const { out } = await sh(`doctor --config ${TO}/understudy.toml`)
    expect(out).toMatch(/^ok +streams: 1 stream to record/m)
    const effective = await read(`${TO}/understudy.toml`)
    for (const line of ['site = "north"', 'port = 8080', 'address = "0.0.0.0"', `credentials = "${TO}/credentials"`]) {
      expect(effective.split('\n')).toContain(line)
    }
    expect(await report()).toContain('http://raspberry.local:8080/')
  })

  test.each<[string, string | Uint8Array, string]>([
    ['a slip', '[relay]\n\nread_intervall = "1s"\n', 'line 3: relay.read_intervall: found an unknown key'],
    ['curly quotes', '# é\nsite = \u201cnorth\u201d\n', 'line 2: invalid value; there are curly quotes in this line'],
    [
      'curly quotes of Windows-1252',
      Buffer.from('site = \x93north\x94\r\n', 'latin1'),
      'line 1: invalid value; there are curly quotes in this line'
    ],
    [
      'a wrong value of a list',
      '[[term]]\nfrom = 2026-01-01\nto = 2026-01-02\n[[term]]\nfrom = 1\n',
      'line 5: term, entry 2.from: '
    ],
    ['a CA that is not there', '[network]\nca_file = "ca.pem"\n', 'line 2: network.ca_file: there is no such file'],
    ['something quite different', Buffer.from([0, 1, 2, 255, 254]), 'line 1: ']
  ])('with %s never replaces a good one', async (_, content, told) => {
    await put(`${BOOT}/understudy.toml`, 'site = "north"\n')
    await bring('spin30')
    await sh(LINE)
    await put(`${BOOT}/understudy.toml`, content)
    const { code, out } = await sh(LINE)
    expect(code).toBe(0)
    expect(out).toContain(`UNDERSTUDY_CONFIG_INVALID: ${BOOT}: understudy.toml, ${told}`)
    expect(await read(`${TO}/understudy.toml`)).toContain('site = "north"')
  })

  test('that is the first and has a mistake is used as far as it is right', async () => {
    await put(`${BOOT}/understudy.toml`, 'site = "north"\n[status]\nprot = 80\n')
    await bring('spin30')
    expect(await sh(LINE)).toMatchObject({
      code: 0,
      out: expect.stringContaining('line 3: status.prot: found an unknown')
    })
    expect(await read(`${TO}/understudy.toml`)).toContain('site = "north"')
  })

  test('that is the first and has a mistake counts, as far as it is right, until a good one comes', async () => {
    const { cert } = await certificate()
    const effective = (): Promise<string> => read(`${TO}/understudy.toml`)
    await put(`${BOOT}/ca.pem`, cert)
    await put(`${BOOT}/understudy.toml`, 'site = "north"\n[network]\nca_file = "ca.pem"\n[status]\nprot = 80\n')
    await sh(LINE)
    const before = await effective()
    // A stick without a config, a card that has none any more, and rubbish change nothing.
    await bring('spin30', {}, '/run/stick')
    await sh(LINE.replace(BOOT, '/run/stick'))
    expect(await effective()).toBe(before)
    await put(`${BOOT}/understudy.toml`, '# nothing\n')
    await sh(LINE)
    expect(await effective()).toBe(before)
    await put(`${BOOT}/understudy.toml`, Buffer.from([0, 1, 2, 0xff]))
    await sh(LINE)
    expect(await effective()).toBe(before)
    await put(`${BOOT}/understudy.toml`, 'time_zone = "Asia/Kathmandu"\n')
    await sh(LINE)
    expect(await effective()).not.toContain('north')
    await put(`${BOOT}/understudy.toml`, '# nothing\n')
    await sh(LINE)
    expect(await effective()).toContain('Asia/Kathmandu')
  })

  test('that has a mistake says what is in force meanwhile', async () => {
    await put(`${BOOT}/understudy.toml`, '[status]\nprot = 80\n')
    expect((await sh(LINE)).out).toContain('(correct it; until then only what is right in it is used)')
    await put(`${BOOT}/understudy.toml`, 'site = "north"\n')
    await sh(LINE)
    await put(`${BOOT}/understudy.toml`, '[status]\nprot = 80\n')
    expect((await sh(LINE)).out).toContain('(correct it; until then the last good one stays in force)')
  })

  test('may name a certificate beside it, of which a copy is kept', async () => {
    const { cert } = await certificate()
    const named = async (): Promise<string> =>
      /^ca_file = "(.*)"$/m.exec(await read(`${TO}/understudy.toml`))?.[1] ?? ''
    await put(`${BOOT}/understudy.toml`, '[network]\nca_file = "ca.pem"\n')
    await put(`${BOOT}/ca.pem`, cert)
    await sh(LINE)
    expect(await read(await named())).toBe(cert)
    const before = await named()
    const { cert: other } = await certificate()
    await put(`${BOOT}/ca.pem`, other)
    await sh(LINE)
    expect(await named()).not.toBe(before)
    expect(await read(await named())).toBe(other)
    await put(`${BOOT}/ca.pem`, 'no certificate')
    expect((await sh(LINE)).out).toContain('network.ca_file: the file holds no certificate in PEM')
    expect(await read(await named())).toBe(other)
  })

  test('that is the first, and names a certificate and has a mistake elsewhere, is used with its certificate', async () => {
    const { cert } = await certificate()
    await put(`${BOOT}/understudy.toml`, '[network]\nca_file = "ca.pem"\n[relais]\n')
    await put(`${BOOT}/ca.pem`, cert)
    await sh(LINE)
    const [, path] = /^ca_file = "(.*)"$/m.exec(await read(`${TO}/understudy.toml`)) ?? []
    expect(await read(path!)).toBe(cert)
  })

  test('in force stays in force when what was kept of it is damaged, and is taken in again where it still lies', async () => {
    const text = 'site = "north"\n[wifi]\nssid = "Lab"\npassword = "12345678"\n'
    const told = '/run/told/NetworkManager'
    await put(`${BOOT}/understudy.toml`, text)
    await sh(`${LINE} --run /run/told`)
    await put(`${TO}/taken.toml`, Buffer.alloc(20))
    await simulation.complete(pi.world.files.remove(`${BOOT}/understudy.toml`))
    await sh(`${LINE} --run /run/told`)
    expect(await read(`${TO}/understudy.toml`)).toContain('site = "north"')
    // Not an open network of that name.
    expect(await names(told)).toEqual([])
    await put(`${BOOT}/understudy.toml`, text)
    await sh(`${LINE} --run /run/told`)
    expect(await names(told)).toEqual(['understudy-wifi.nmconnection'])
  })

  test('in Windows-1252 or UTF-16 is read, and said to be odd', async () => {
    const text = '# \u00a3\r\n[wifi]\r\nssid = "caf\u00e9"\r\n'
    for (const bytes of [Buffer.from(text, 'latin1'), Buffer.from(`\uFEFF${text}`, 'utf16le')]) {
      await put(`${BOOT}/understudy.toml`, bytes)
      expect((await sh(LINE)).out).toContain('UNDERSTUDY_PROVISION_ODD_TEXT: ')
      expect(await read(`${TO}/understudy.toml`)).toContain('ssid = "caf\u00e9"')
    }
  })

  test('on a stick counts until the one on the card is changed', async () => {
    const stick = '/run/stick'
    const site = async (line: string): Promise<string | undefined> => {
      await sh(line)
      return /^site = "(.*)"$/m.exec(await read(`${TO}/understudy.toml`))?.[1]
    }
    await put(`${BOOT}/understudy.toml`, 'site = "card"\n')
    await put(`${stick}/understudy.toml`, 'site = "stick"\n')
    expect(await site(LINE)).toBe('card')
    expect(await site(LINE.replace(BOOT, stick))).toBe('stick')
    expect(await site(LINE)).toBe('stick')
    expect(await report()).toContain('UNDERSTUDY_PROVISION_NOT_IN_FORCE')
    await put(`${BOOT}/understudy.toml`, '# nothing\n')
    expect(await site(LINE)).toBe('stick')
    await put(`${BOOT}/understudy.toml`, 'site = "card-2"\n')
    expect(await site(LINE)).toBe('card-2')
  })

  test('tells the recorder nothing of how the wireless network is joined', async () => {
    await put(
      `${BOOT}/understudy.toml`,
      '[wifi]\nssid = "Lab"\npassword = "correct horse"\nidentity = "me@example.org"\n'
    )
    const { out } = await sh(LINE)
    const told = [out, await report(), await read(`${TO}/understudy.toml`)].join('')
    expect(told).not.toMatch(/correct horse|me@example/)
    expect(told).toContain('ssid = "Lab"')
  })
})

describe('the report', () => {
  test('is plain ASCII with the line ends of Windows, and has what a person needs', async () => {
    await put(`${BOOT}/understudy.toml`, '[sync]\ntarget = "u@primary.example:/srv/u"\n[host]\nname = "north"\n')
    const token = await bring('spin30')
    await bring('spin31', { expiresInS: 10 * DAY_S })
    await sh(LINE)
    const text = await report()
    expect(text).toMatch(/^[\x20-\x7e\r\n]*$/)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(text).toContain('spin30       token lasts until 2027-11-02')
    expect(text).toContain('spin31       TOKEN EXPIRES SOON, on 2026-11-12')
    const password = (await read(`${DATA}/status-password`)).trim()
    expect(text).toContain(`Password: ${password}`)
    expect(text).toContain('http://north.local:8088/'.replace('north.local', 'localhost'))
    expect(text).toContain('eth0  192.0.2.20')
    expect(text).toContain('eth0  b8:27:eb:00:00:01')
    expect(text).toContain('-no-overwrite /srv/u/understudy",restrict ssh-ed25519 KEY1 understudy understudy upload')
    expect(text).not.toContain('00:00:00:00:00:00')
    expect(text).not.toContain(token)
  })

  test('is not written again when it would say the same', async () => {
    await bring('spin30')
    await sh(LINE)
    const before = await report()
    await simulation.run(3_600_000)
    await sh(LINE)
    expect(await report()).toBe(before)
    // A start, before there is a network: what it was before is most likely right.
    pi.host.ipAddresses = []
    await sh(LINE)
    expect(await report()).toBe(before)
    pi.host.ipAddresses = [{ interface: 'wlan0', address: '198.51.100.7' }]
    await sh(LINE)
    expect(await report()).toContain('wlan0  198.51.100.7')
  })

  test('of a machine that never had a network says so', async () => {
    pi.host.ipAddresses = []
    await sh(LINE)
    expect(await report()).toContain('none yet: it has no network')
  })
})

describe('a card that is mounted read-only', () => {
  const remounts: string[] = []

  beforeEach(() => {
    remounts.length = 0
    card.readOnly = true
    pi.programs.set('mount', async ([, how = '', directory = '']) => {
      remounts.push(`${how} ${directory}`)
      card.readOnly = how !== 'remount,rw'
      return { code: 0 }
    })
  })

  const both = [`remount,rw ${BOOT}`, `remount,ro ${BOOT}`]

  test('can be written while there is something to write, and no longer', async () => {
    card.readOnly = false
    const token = await bring('spin30')
    card.readOnly = true
    expect(await sh(`${LINE} --remount`)).toEqual({
      code: 0,
      out: expect.not.stringContaining('UNDERSTUDY_'),
      err: ''
    })
    expect(remounts.splice(0)).toEqual(both)
    expect(await read(`${TO}/credentials/log.token.spin30`)).toBe(`${token}\n`)
    expect(await names(BOOT)).toEqual(['understudy-report.txt'])
    await simulation.run(3_600_000)
    await sh(`${LINE} --remount`)
    expect(remounts).toEqual([])
    pi.host.ipAddresses = [{ interface: 'wlan0', address: '198.51.100.7' }]
    await sh(`${LINE} --remount`)
    expect(remounts).toEqual(both)
    expect(await report()).toContain('198.51.100.7')
  })

  test('and stays so is told of', async () => {
    pi.programs.set('mount', async () => ({ code: 32 }))
    expect((await sh(`${LINE} --remount`)).out).toContain('UNDERSTUDY_PROVISION_REPORT')
    pi.programs.delete('mount')
    expect((await sh(`${LINE} --remount`)).out).toContain('UNDERSTUDY_PROVISION_REPORT')
  })
})

test('a name that another machine has already is told, with the one that was given instead', async () => {
  pi.programs.set('busctl', async () => ({ code: 0, stdout: 's "raspberry-2"\n' }))
  await bring('spin30')
  expect(await sh(LINE)).toMatchObject({ code: 0, out: expect.stringContaining('UNDERSTUDY_PROVISION_NAME_TAKEN') })
  expect(await report()).toContain('another machine on this network is called raspberry already')
})

test.each([
  ['raspberry', '', 'raspberry-2'],
  ['raspberry', '', 'backup'],
  ['pi-2', '[host]\nname = "pi-2"\n', 'pi-3']
])('a machine called %s says the name that it has really got', async (kernel, config, announced) => {
  await put('/proc/sys/kernel/hostname', `${kernel}\n`)
  await put(`${BOOT}/understudy.toml`, config)
  pi.programs.set('busctl', async () => ({ code: 0, stdout: `s "${announced}"\n` }))
  await sh(LINE)
  expect(await report()).toContain(`this one is ${announced}.local`)
  expect(await report()).toMatch(new RegExp(`^Name: +${announced}\r$`, 'm'))
})

test('a name that it is to get is told before it is announced', async () => {
  await put(`${BOOT}/understudy.toml`, '[host]\nname = "north"\n')
  pi.programs.set('busctl', async () => ({ code: 0, stdout: 's "raspberry"\n' }))
  await sh(LINE)
  expect(await report()).toMatch(/^Name: +north\r$/m)
  expect(await report()).not.toContain('UNDERSTUDY_PROVISION_NAME_TAKEN')
})

test('a card whose data partition was found empty says so for good, and a new one says nothing of it', async () => {
  const told = '/boot/firmware: NOTHING OF WHAT WAS HERE BEFORE'
  await bring('spin30')
  await sh(LINE)
  expect(await report()).not.toContain(told)
  await simulation.complete(pi.world.files.remove(DATA))
  await bring('spin30')
  await sh(LINE)
  await sh(LINE)
  expect(await report()).toContain(told)
})

test('two configs with different names: the last one counts, and the other is told', async () => {
  await put(`${BOOT}/understudy.toml`, '[host]\nname = "north"\n')
  await put('/run/stick/understudy.toml', '[host]\nname = "south"\n')
  await bring('spin30')
  const { code, out } = await sh(`${LINE} --from /run/stick --run /run/told`)
  expect(code).toBe(0)
  expect(out).toContain('the two give different names to this machine: north and south')
  expect(await read('/run/told/hostname')).toBe('south\n')
})

test('what was made is given to the user who records', async () => {
  const given: string[] = []
  pi.programs.set('chown', async (args) => {
    given.push(args.join(' '))
    return { code: 0 }
  })
  await bring('spin30')
  await sh(`${LINE} --owner understudy`)
  expect(given).toEqual([
    `-R -h understudy: ${TO} ${DATA}/sync ${DATA}/sync/id_ed25519 ${DATA}/sync/id_ed25519-receipts ${DATA}/status-password ${DATA}/status-password.scrypt`
  ])
  pi.programs.delete('chown')
  expect((await sh(`${LINE} --owner understudy`)).out).toContain('UNDERSTUDY_PROVISION_OWNER')
})
