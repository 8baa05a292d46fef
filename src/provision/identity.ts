import { dirname } from 'node:path'
import { isMounted } from '../journal/disks.ts'
import type { Files } from '../world/files.ts'
import { placeFile } from './place.ts'
import { type Wrong, wrongOf } from './wrong.ts'

/** Where a machine has what makes it the one it is, and where a copy is kept. */
export interface IdentityPlaces {
  /** The data folder. */
  readonly data: string
  /** The folder of what was taken in, in the data folder. */
  readonly to: string
  /** The folder of the copy, at the top of a disk that may be away. */
  readonly identity: string
}

/** In the data folder; of folders, the files in them. */
const FILES = ['status-password', 'status-password.scrypt']
const FOLDERS = ['sync', 'system/ssh']
/** Of the folder `sync`: the rest is the state of handing over, which goes with the journal. */
const SYNC = /^(id_ed25519(-receipts)?|known_hosts)$/
const KEY = 'sync/id_ed25519'
/** Where this is, an identity has been taken in or made. */
const MARK = 'state.json'
/** Half written. */
const LEFT_OVER = /\.new$|^incoming$/

/**
 * Takes the identity from the disk where this machine has none yet: a card that was written anew goes on as the one before.
 * What is here already stays.
 */
export async function restoreIdentity(
  files: Files,
  { data, to, identity }: IdentityPlaces
): Promise<{ restored: boolean; wrongs: Wrong[] }> {
  let restored = false
  if (!(await isMounted(files, dirname(identity)))) return { restored, wrongs: [] }
  const wrongs = await attempt(async () => {
    if (await files.info(`${to}/${MARK}`)) return
    for (const name of await namesIn(files, identity, to)) {
      if (await files.info(`${data}/${name}`)) continue
      await copy(files, identity, data, name)
      restored = true
    }
  })
  return { restored, wrongs }
}

/** Brings the copy on the disk up to date; that of another machine is moved aside, not lost. */
export async function saveIdentity(files: Files, { data, to, identity }: IdentityPlaces): Promise<Wrong[]> {
  if (!(await isMounted(files, dirname(identity)))) return []
  return attempt(async () => {
    const [own, other] = [await content(files, `${data}/${KEY}`), await content(files, `${identity}/${KEY}`)]
    if (own && other && !own.equals(other)) await moveAside(files, identity)
    const wanted = await namesIn(files, data, to)
    for (const name of wanted) await copy(files, data, identity, name)
    for (const name of await namesIn(files, identity, to)) {
      if (!wanted.includes(name)) await files.remove(`${identity}/${name}`)
    }
  })
}

async function attempt(work: () => Promise<void>): Promise<Wrong[]> {
  try {
    await work()
    return []
  } catch (error) {
    return [wrongOf(error, 'UNDERSTUDY_PROVISION_IDENTITY', 'the data disk')]
  }
}

/** The names of an identity's files, as below the data folder. */
async function namesIn(files: Files, folder: string, to: string): Promise<string[]> {
  const names: string[] = []
  const own = baseOf(to)
  for (const name of FILES) if ((await files.info(`${folder}/${name}`))?.kind === 'file') names.push(name)
  for (const inside of [...FOLDERS, `${own}/credentials`, `${own}/ca`, own]) {
    if ((await files.info(`${folder}/${inside}`))?.kind !== 'directory') continue
    for (const { name, kind } of await files.list(`${folder}/${inside}`)) {
      if (kind !== 'file' || LEFT_OVER.test(name) || (inside === 'sync' && !SYNC.test(name))) continue
      names.push(`${inside}/${name}`)
    }
  }
  // What says that there is an identity comes last.
  return names.sort((a, b) => Number(a.endsWith(`/${MARK}`)) - Number(b.endsWith(`/${MARK}`)))
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function copy(files: Files, from: string, to: string, name: string): Promise<void> {
  const path = `${to}/${name}`
  const { mode } = (await files.info(`${from}/${name}`)) ?? { mode: 0o600 }
  await files.makeDirectory(dirname(path), 0o750)
  await placeFile(files, path, await files.readFile(`${from}/${name}`), mode & 0o644, `${to}/identity.new`)
}

async function content(files: Files, path: string): Promise<Buffer | undefined> {
  return (await files.info(path)) && files.readFile(path)
}

async function moveAside(files: Files, identity: string): Promise<void> {
  for (let number = 1; ; number++) {
    const former = `${identity}-former-${number}`
    if (await files.info(former)) continue
    await files.rename(identity, former)
    await files.syncDirectory(dirname(identity))
    return
  }
}
