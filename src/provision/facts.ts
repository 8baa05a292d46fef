import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { readCredentials } from '../config/credentials.ts'
import type { TokenFacts } from '../config/token.ts'
import { Password } from '../status/password.ts'
import { type PublicKeys, prepareKeys } from '../sync/keys.ts'
import { syncPaths } from '../sync/paths.ts'
import type { World } from '../world/world.ts'
import type { Now } from './choose.ts'
import { type Wrong, wrong, wrongOf } from './wrong.ts'

const BUS_MS = 5000

/** What a machine has to tell to who set it up. */
export interface Facts {
  /** What others call it, without `.local`. */
  readonly hostName: string
  readonly addresses: ReadonlyArray<{ readonly interface: string; readonly address: string }>
  /** Hardware addresses. */
  readonly macs: ReadonlyArray<{ readonly interface: string; readonly address: string }>
  /** Of the page; `undefined` when it was set by a person and is kept as a hash only. */
  readonly password: string | undefined
  readonly keys: PublicKeys | undefined
  /** Of the streams whose credentials are in place. */
  readonly tokens: ReadonlyMap<string, TokenFacts>
  readonly wrongs: readonly Wrong[]
}

/** Gathers what there is to tell, and makes the keys and the password that are still missing. */
export async function gatherFacts(world: World, config: Config): Promise<Facts> {
  const wrongs: Wrong[] = []
  const attempt = async <T>(where: string, make: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await make()
    } catch (error) {
      wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_KEYS', where))
      return undefined
    }
  }
  const password = await attempt('the password of the page', () => pagePassword(world, config))
  const keys = await attempt('the keys for the primary', () => prepareKeys(world, config.site, syncPaths(config)))
  const found = await attempt('the credentials in place', () =>
    readCredentials(world.files, config.streams.credentialsDirectory, () => true)
  )
  for (const { code, stream, detail } of found?.problems ?? []) {
    wrongs.push(wrong(code, stream ?? 'the credentials in place', detail))
  }
  const [current] = (await line(world, '/proc/sys/kernel/hostname')).split('.')
  const name = config.host.name ?? (current || 'understudy')
  // A name that it is to get is not announced yet.
  const hostName = (name === current && (await announcedName(world))) || name
  if (hostName !== name) {
    const detail = `another machine on this network is called ${name} already; this one is ${hostName}.local`
    wrongs.push(wrong('UNDERSTUDY_PROVISION_NAME_TAKEN', `the name ${name}`, detail))
  }
  return {
    hostName,
    addresses: await world.host.addresses(),
    macs: await macAddresses(world),
    password,
    keys,
    tokens: found?.tokens ?? new Map(),
    wrongs
  }
}

/** The streams that can be recorded: by a clock that is not right no token has expired. */
export function recordable({ tokens }: Pick<Facts, 'tokens'>, { ms, known }: Now): string[] {
  return [...tokens].flatMap(([stream, { expiresMs }]) => (known && expiresMs <= ms ? [] : [stream]))
}

/** Where the password of the page is, as long as nobody removes it. */
export function passwordFile({ status, data }: Config): string {
  return status.passwordFile ?? join(data.directory, 'status-password')
}

async function pagePassword(world: World, config: Config): Promise<string | undefined> {
  const path = passwordFile(config)
  await world.files.makeDirectory(config.data.directory, 0o750)
  await Password.open(world, path)
  return (await world.files.info(path)) && (await line(world, path))
}

/** What Avahi calls this machine at last, which is another name when its own was taken; `undefined` where it does not run. */
async function announcedName({ programs }: World): Promise<string | undefined> {
  const avahi = ['org.freedesktop.Avahi', '/', 'org.freedesktop.Avahi.Server', 'GetHostName']
  try {
    const { stdout } = await programs.run('busctl', ['--auto-start=no', 'call', ...avahi], { timeoutMs: BUS_MS })
    return /^s "([a-z0-9-]{1,63})"\s*$/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

async function macAddresses(world: World): Promise<Facts['macs']> {
  const folder = '/sys/class/net'
  const entries = await world.files.list(folder).catch(() => [])
  const macs: Array<{ interface: string; address: string }> = []
  for (const name of entries.map((entry) => entry.name).sort()) {
    // The loopback and its like are no devices.
    if (!(await world.files.info(`${folder}/${name}/device`).catch(() => undefined))) continue
    const address = await line(world, `${folder}/${name}/address`)
    if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address)) macs.push({ interface: name, address })
  }
  return macs
}

/** The first line of a file; empty when it cannot be read. */
async function line({ files }: World, path: string): Promise<string> {
  const text = await files.readFile(path).catch(() => '')
  return text.toString().split('\n')[0]!.trim()
}
