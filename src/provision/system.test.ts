import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadCommands } from '../cli/program.ts'
import type { Config } from '../config/config.ts'
import { validate } from '../config/validate.ts'
import { BOOT, FreshPi, LINE, TO } from './fixtures.ts'
import { connections } from './network-manager.ts'

await loadCommands()

function configOf(tree: object): Config {
  const result = validate(tree)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.config
}

/** A key file as GLib reads it: values lose ASCII white space at their beginning, and \s, \n, \t, \r and \\ are undone. */
function readKeyfile(text: string): Record<string, Record<string, string>> {
  const groups: Record<string, Record<string, string>> = {}
  let group: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const [, name] = /^\[([^\]]*)\]$/.exec(line) ?? []
    if (name !== undefined) {
      group = {}
      groups[name] = group
      continue
    }
    if (line === '' || line.startsWith('#')) continue
    const at = line.indexOf('=')
    const letters: Record<string, string> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' }
    const value = line.slice(at + 1).replace(/^[ \t]+/, '')
    group[line.slice(0, at)] = value.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? '<invalid>')
  }
  return groups
}

/** As NetworkManager takes an ssid: numbers with semicolons are its bytes. */
function readSsid(value: string): string {
  if (!/^\s*\d{1,3}\s*;(\s*\d{1,3}\s*;)*\s*$/.test(value)) return value
  return Buffer.from(value.split(';').filter(Boolean).map(Number)).toString()
}

test.each([
  ['a cable, with what the network gives', {}, []],
  [
    'a cable with a fixed address',
    { network: { address: '192.168.1.20/24', gateway: '192.168.1.1', dns: ['192.168.1.1', '2001:db8::1'] } },
    [
      '[connection]\nid=understudy-wired\ntype=ethernet\nautoconnect-retries=0\nauth-retries=0\n\n' +
        '[ipv4]\nmethod=manual\naddress1=192.168.1.20/24,192.168.1.1\ndns=192.168.1.1;\n\n' +
        '[ipv6]\nmethod=auto\ndns=2001:db8::1;\nignore-auto-dns=true\n'
    ]
  ],
  [
    'a wireless network with a password that is shared',
    { wifi: { ssid: 'Lab 2', password: 'correct horse' } },
    [
      '[connection]\nid=understudy-wifi\ntype=wifi\nautoconnect-retries=0\nauth-retries=0\n\n' +
        '[wifi]\nmode=infrastructure\nssid=Lab 2\npowersave=2\n\n' +
        '[wifi-security]\nkey-mgmt=wpa-psk\npsk=correct horse\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n'
    ]
  ]
])('%s', (_, tree, texts) => {
  expect([...connections(configOf(tree)).values()]).toEqual(texts)
})

test('an enterprise network: PEAP with MSCHAPv2, and its certificates', () => {
  const wifi = { ssid: 'eduroam', identity: 'me@example.org', password: 'p;\\w', ca_file: '/ca/1.pem' }
  const [text = ''] = connections(configOf({ wifi })).values()
  expect(readKeyfile(text)).toMatchObject({
    'wifi-security': { 'key-mgmt': 'wpa-eap' },
    '802-1x': {
      eap: 'peap;',
      identity: 'me@example.org',
      password: 'p;\\w',
      'phase2-auth': 'mschapv2',
      'ca-cert': 'file:///ca/1.pem'
    }
  })
})

test('whatever a name or a password is, it is read back as it was, and adds no line', () => {
  const line = fc.string({
    unit: fc.oneof(fc.constantFrom(...' \\;=#[]"s1'), fc.string({ unit: 'grapheme' })),
    maxLength: 12
  })
  let tried = 0
  fc.assert(
    fc.property(line, line, line, (ssid, identity, password) => {
      const result = validate({ wifi: { ssid, identity, password } })
      if ('faults' in result) return
      tried++
      const [text = ''] = connections(result.config).values()
      const read = readKeyfile(text)
      expect(Object.keys(read)).toEqual(['connection', 'wifi', 'wifi-security', '802-1x', 'ipv4', 'ipv6'])
      expect(readSsid(read['wifi']!['ssid']!)).toBe(ssid)
      expect(Object.keys(read['802-1x']!)).toEqual(['eap', 'identity', 'password', 'phase2-auth'])
      expect(read['802-1x']).toMatchObject({ identity, password })
    }),
    { numRuns: 3000 }
  )
  expect(tried).toBeGreaterThan(300)
})

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb4b2Zj0c0pV8xq2Jw5Yx7m1l8n3Qv5k9d2sTq7uZaB you@laptop'

test('the system is told what the config says, and no more what a former one said', async () => {
  const pi = new FreshPi()
  const line = `${LINE} --run /run/told`
  await pi.put(
    `${BOOT}/understudy.toml`,
    `[host]\nname = "north"\n[wifi]\nssid = "Lab"\npassword = "12345678"\ncountry = "GB"\n[ssh]\nkeys = ["${key}"]\n[clock]\nservers = ["a.example", "192.0.2.1"]\n`
  )
  await pi.sh(line)
  expect(await pi.names('/run/told')).toEqual(['NetworkManager', 'hostname', 'regdomain', 'timesyncd.conf'])
  expect(await pi.read('/run/told/hostname')).toBe('north\n')
  expect(await pi.read('/run/told/regdomain')).toBe('GB\n')
  expect(await pi.read('/run/told/timesyncd.conf')).toBe('[Time]\nNTP=a.example 192.0.2.1\n')
  expect(await pi.read(`${TO}/authorized_keys`)).toBe(`${key}\n`)
  const path = '/run/told/NetworkManager/understudy-wifi.nmconnection'
  expect((await pi.simulation.complete(pi.files.info(path)))?.mode).toBe(0o600)
  await pi.put(`${BOOT}/understudy.toml`, '[network]\naddress = "10.0.0.2/8"\n')
  await pi.sh(line)
  expect(await pi.names('/run/told')).toEqual(['NetworkManager'])
  expect(await pi.names('/run/told/NetworkManager')).toEqual(['understudy-wired.nmconnection'])
  expect(await pi.names(TO)).not.toContain('authorized_keys')
})
