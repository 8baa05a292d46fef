import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { readCredentials } from '../config/credentials.ts'
import type { TokenFacts } from '../config/token.ts'
import { Password } from '../status/password.ts'
import { type PublicKeys, prepareKeys } from '../sync/keys.ts'
import { syncPaths } from '../sync/paths.ts'
import type { World } from '../world/world.ts'
import { type Wrong, wrong, wrongOf } from './wrong.ts'

/** What a machine has to tell to who set it up. */
export interface Facts {
  /** What others call it. */
  readonly hostName: string
  readonly addresses: ReadonlyArray<{ readonly interface: string; readonly address: string }>
  /** Hardware addresses. */
  readonly macs: ReadonlyArray<{ readonly interface: string; readonly address: string }>
  /** Of the page; `undefined` when it was set by a person and is kept as a hash only. */
  readonly password: string | undefined
  readonly keys: PublicKeys | undefined
  /** The streams that can be recorded, and until when. */
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
  return {
    hostName: config.host.name ?? ((await line(world, '/proc/sys/kernel/hostname')) || 'understudy'),
    addresses: await world.host.addresses(),
    macs: await macAddresses(world),
    password,
    keys,
    tokens: found?.tokens ?? new Map(),
    wrongs
  }
}

async function pagePassword(world: World, { status, data }: Config): Promise<string | undefined> {
  const path = status.passwordFile ?? join(data.directory, 'status-password')
  await world.files.makeDirectory(data.directory, 0o750)
  await Password.open(world, path)
  return (await world.files.info(path)) && (await line(world, path))
}

async function macAddresses(world: World): Promise<Facts['macs']> {
  const folder = '/sys/class/net'
  const entries = await world.files.list(folder).catch(() => [])
  const macs: Array<{ interface: string; address: string }> = []
  for (const name of entries.map((entry) => entry.name).sort()) {
    const address = await line(world, `${folder}/${name}/address`)
    // Of no hardware: the loopback.
    if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address) && address !== '00:00:00:00:00:00') {
      macs.push({ interface: name, address })
    }
  }
  return macs
}

/** The first line of a file; empty when it cannot be read. */
async function line({ files }: World, path: string): Promise<string> {
  const text = await files.readFile(path).catch(() => '')
  return text.toString().split('\n')[0]!.trim()
}
