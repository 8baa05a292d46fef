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
/** What no two machines have the same; what says the most comes first. */
const SELF = ['sync/id_ed25519', 'sync/id_ed25519-receipts', 'status-password.scrypt']
/** Where this is, an identity has been taken in or made. */
export const MARK = 'state.json'
/** Half written. */
const LEFT_OVER = /\.new$|^incoming$/

/** Whose copy the disk has. */
export async function kinship(files: Files, { data, identity }: IdentityPlaces): Promise<'same' | 'other' | 'unknown'> {
  for (const name of SELF) {
    const [own, copied] = [await content(files, `${data}/${name}`), await content(files, `${identity}/${name}`)]
    if (own && copied) return own.equals(copied) ? 'same' : 'other'
  }
  return 'unknown'
}

/**
 * Moves the copy of another machine out of the way.
 * @returns under which name it is kept, where there was one
 */
export async function putAsideOther(
  files: Files,
  places: IdentityPlaces
): Promise<{ former: string | undefined; wrongs: Wrong[] }> {
  const { identity } = places
  let former: string | undefined
  if (!(await isMounted(files, dirname(identity)))) return { former, wrongs: [] }
  const wrongs = await attempt(async () => {
    if ((await kinship(files, places)) !== 'other') return
    let number = 1
    while (await files.info(`${identity}-former-${number}`)) number++
    await files.rename(identity, `${identity}-former-${number}`)
    await files.syncDirectory(dirname(identity))
    former = `${baseOf(identity)}-former-${number}`
  })
  return { former, wrongs }
}

/** Brings the copy on the disk up to date; that of another machine is left alone. */
export async function saveIdentity(files: Files, places: IdentityPlaces): Promise<Wrong[]> {
  const { data, to, identity } = places
  if (!(await isMounted(files, dirname(identity)))) return []
  return attempt(async () => {
    if ((await kinship(files, places)) === 'other') return
    const wanted = await namesIn(files, data, to)
    for (const name of wanted) await copy(files, data, identity, name)
    for (const name of await namesIn(files, identity, to)) {
      if (!wanted.includes(name)) await files.remove(`${identity}/${name}`)
    }
  })
}

export async function attempt(work: () => Promise<void>): Promise<Wrong[]> {
  try {
    await work()
    return []
  } catch (error) {
    return [wrongOf(error, 'UNDERSTUDY_PROVISION_IDENTITY', 'the data disk')]
  }
}

/** The names of an identity's files, as below the data folder. */
export async function namesIn(files: Files, folder: string, to: string): Promise<string[]> {
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

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export async function copy(files: Files, from: string, to: string, name: string): Promise<void> {
  const path = `${to}/${name}`
  const { mode } = (await files.info(`${from}/${name}`)) ?? { mode: 0o600 }
  await files.makeDirectory(dirname(path), 0o750)
  await placeFile(files, path, await files.readFile(`${from}/${name}`), mode & 0o644, `${to}/identity.new`)
}

async function content(files: Files, path: string): Promise<Buffer | undefined> {
  return (await files.info(path)) && files.readFile(path)
}
