import type { Config } from '../config/config.ts'

type Section = readonly [name: string, keys: ReadonlyArray<readonly [key: string, value: string | undefined]>]

/**
 * What NetworkManager is told, by the name of its file: a connection for the wireless network, or one for the cable where its
 * address is fixed. A cable alone, with an address that the network gives, needs none.
 */
export function connections({ wifi, network }: Pick<Config, 'wifi' | 'network'>): Map<string, string> {
  if (wifi.ssid !== undefined) {
    return new Map([['understudy-wifi.nmconnection', keyfile(wireless(wifi.ssid, wifi, network))]])
  }
  if (network.address === undefined && network.dns.length === 0) return new Map()
  const wired: Section[] = [connection('understudy-wired', 'ethernet'), ...addresses(network)]
  return new Map([['understudy-wired.nmconnection', keyfile(wired)]])
}

function wireless(ssid: string, { password, identity, caFile }: Config['wifi'], network: Config['network']): Section[] {
  const security: Section[] =
    password === undefined
      ? []
      : identity === undefined
        ? [
            [
              'wifi-security',
              [
                ['key-mgmt', 'wpa-psk'],
                ['psk', escaped(password)]
              ]
            ]
          ]
        : [
            ['wifi-security', [['key-mgmt', 'wpa-eap']]],
            [
              '802-1x',
              [
                ['eap', 'peap;'],
                ['identity', escaped(identity)],
                ['password', escaped(password)],
                ['phase2-auth', 'mschapv2'],
                ['ca-cert', caFile === undefined ? undefined : escaped(`file://${caFile}`)]
              ]
            ]
          ]
  const wifi: Section = [
    'wifi',
    [
      ['mode', 'infrastructure'],
      ['ssid', ssidValue(ssid)],
      // Saving power loses packets on some of the Pis.
      ['powersave', '2']
    ]
  ]
  return [connection('understudy-wifi', 'wifi'), wifi, ...security, ...addresses(network)]
}

function connection(id: string, type: string): Section {
  return [
    'connection',
    [
      ['id', id],
      ['type', type],
      // It never gives up: nobody is there to tell it to try again.
      ['autoconnect-retries', '0'],
      ['auth-retries', '0']
    ]
  ]
}

function addresses({ address, gateway, dns }: Config['network']): Section[] {
  const servers = (version: 4 | 6): Array<readonly [string, string]> => {
    const its = dns.filter((server) => server.includes(':') === (version === 6))
    return its.length === 0 ? [] : [['dns', `${its.join(';')};`]]
  }
  const only: ReadonlyArray<readonly [string, string]> = dns.length > 0 ? [['ignore-auto-dns', 'true']] : []
  return [
    [
      'ipv4',
      [
        ['method', address === undefined ? 'auto' : 'manual'],
        ['address1', address && [address, ...(gateway === undefined ? [] : [gateway])].join(',')],
        ...servers(4),
        ...(address === undefined ? only : [])
      ]
    ],
    ['ipv6', [['method', 'auto'], ...servers(6), ...only]]
  ]
}

function keyfile(sections: readonly Section[]): string {
  return sections
    .map(([name, keys]) => {
      const lines = keys.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`]))
      return `[${name}]\n${lines.join('')}`
    })
    .join('\n')
}

/** As GLib's key files have it: without this, spaces at the beginning would be dropped. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(/^ +| +$/g, (spaces) => '\\s'.repeat(spaces.length))
}

/** Plain names as they are, others as their bytes: NetworkManager takes both, and a semicolon or digits for the latter. */
function ssidValue(ssid: string): string {
  if (/^[A-Za-z0-9_.-]([A-Za-z0-9 _.-]*[A-Za-z0-9_.-])?$/.test(ssid)) return ssid
  return `${[...Buffer.from(ssid)].join(';')};`
}
