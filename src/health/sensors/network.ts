import type { NetworkReport } from '../report.ts'
import { type Kernel, numberIn } from './kernel.ts'

const NOWHERE = '0'.repeat(32)

/** The interface that the default route goes through. Addresses are not looked at. */
export async function readNetwork(kernel: Kernel): Promise<NetworkReport | undefined> {
  const routes = await kernel.text('/proc/net/route')
  if (routes === undefined) return undefined
  const name = defaultRoute(routes) ?? defaultRoute6((await kernel.text('/proc/net/ipv6_route')) ?? '')
  if (name === undefined) return { up: false }
  const state = await kernel.text(`/sys/class/net/${name}/operstate`)
  const signalDbm = signalOf((await kernel.text('/proc/net/wireless')) ?? '', name)
  // Some drivers never say more than "unknown".
  return { interface: name, up: state !== 'down' && state !== 'lowerlayerdown', signalDbm }
}

/** Lines of interface, destination, gateway, flags, counts, metric, mask… */
function defaultRoute(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, to, , , , , , mask]) => to === '00000000' && mask === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0]
}

/** Lines of destination, its length, source, its length, next hop, metric, counts, flags, interface. */
function defaultRoute6(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([to, length, , , , , , , , name]) => to === NOWHERE && length === '00' && name !== 'lo')
    .sort((a, b) => Number.parseInt(a[5] ?? '', 16) - Number.parseInt(b[5] ?? '', 16))[0]?.[9]
}

/** Lines like `wlan0: 0000   70.  -40.  -256 …`: status, link, level, noise. */
function signalOf(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.trim().startsWith(`${name}:`))
  return numberIn(line?.trim().split(/\s+/)[3]?.replace(/\.$/, ''))
}
