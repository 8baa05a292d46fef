import { dirname } from 'node:path'
import { capturesPath, foldersIn } from '../captures/sealed.ts'
import { credentialName } from '../config/credentials.ts'
import { UnderstudyError } from '../errors.ts'
import { isMounted } from '../journal/disks.ts'
import type { Files } from '../world/files.ts'
import { lookThrough } from './brought.ts'
import { attempt, baseOf, copy, type IdentityPlaces, kinship, MARK, namesIn } from './identity.ts'
import { readState } from './state.ts'
import { takeBest } from './take-credentials.ts'
import type { Wrong } from './wrong.ts'

/** What stays when an identity gives way: the credentials are compared, the rest is made anew or used by nobody. */
const STAYS = /\/(credentials\/.*|ca\/.*|understudy\.toml)$/
const KEYS = /^(sync|system)\//

/**
 * Takes the identity from the disk where this machine has none yet: a card that was written anew goes on as the one before.
 * One that was made here since the disk came late gives way to that of the disk, as long as nothing is sealed under it; of
 * the tokens those that last longer stay. Else what is here stays, and keys that were lost here are taken from the copy.
 */
export async function restoreIdentity(
  files: Files,
  places: IdentityPlaces
): Promise<{ restored: boolean; wrongs: Wrong[] }> {
  const { data, to, identity } = places
  let restored = false
  if (!(await isMounted(files, dirname(identity)))) return { restored, wrongs: [] }
  const wrongs = await attempt(async () => {
    const mark = `${baseOf(to)}/${MARK}`
    let wanted = await namesIn(files, identity, to)
    if (await files.info(`${data}/${mark}`)) {
      const kin = await kinship(files, places)
      if (kin !== 'same' && wanted.includes(mark) && (await isNew(files, places))) await forget(files, places)
      else if (kin === 'other') return
      else wanted = wanted.filter((name) => KEYS.test(name))
    }
    if (wanted.includes(mark)) await takeBetterTokens(files, places)
    for (const name of wanted) {
      if (await files.info(`${data}/${name}`)) continue
      await copy(files, identity, data, name)
      restored = true
    }
  })
  return { restored, wrongs }
}

/** Whether nothing would be lost with the identity of this machine. */
async function isNew(files: Files, { data, to }: IdentityPlaces): Promise<boolean> {
  if (!(await readState(files, to)).isNew) return false
  const captures = capturesPath(data)
  for (const capture of await foldersIn(files, captures)) {
    if ((await foldersIn(files, `${captures}/${capture}`)).length > 0) return false
  }
  return true
}

/** Cut off at any moment, it is begun again: what says that there is an identity goes last. */
async function forget(files: Files, { data, to }: IdentityPlaces): Promise<void> {
  for (const name of await namesIn(files, data, to)) if (!STAYS.test(name)) await files.remove(`${data}/${name}`)
}

/** Of streams that both have, the token that expires last. */
async function takeBetterTokens(files: Files, { data, to, identity }: IdentityPlaces): Promise<void> {
  const own = new Set((await namesIn(files, data, to)).map((name) => credentialName(baseOf(name))?.stream))
  const { files: copied } = await lookThrough(files, `${identity}/${baseOf(to)}/credentials`)
  for (const stream of own) {
    const brought = copied.filter((file) => file.stream === stream)
    if (stream === undefined || brought.length === 0) continue
    const { failure } = await takeBest(files, to, stream, brought, { ms: 0, known: false })
    // Nothing of the copy may be replaced.
    if (failure) throw new UnderstudyError(failure.code, failure.what)
  }
}
