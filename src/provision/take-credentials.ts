import { accessUrlIn, tokenIn } from '../config/credentials.ts'
import { systemCode, UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import type { Account } from './account.ts'
import type { BroughtFile, Bundle } from './brought.ts'
import { choose, dayOf, type Fate, type Now, type Pair } from './choose.ts'
import { placeFile } from './place.ts'
import type { Writable } from './writable.ts'
import { type Wrong, wrong, wrongOf } from './wrong.ts'

/**
 * Puts what was brought into the credentials folder, where it is better than what is there, and removes it where it came
 * from. A file is removed only when the same is in place, read back and on the disk.
 * @param accounts where it is told
 */
export async function takeCredentials(
  files: Files,
  accounts: ReadonlyArray<readonly [Bundle, Account]>,
  to: string,
  now: Now,
  writable: Writable | undefined
): Promise<void> {
  const owners = new Map(accounts.flatMap(([bundle, account]) => bundle.files.map((file) => [file, account] as const)))
  const streams = [...new Set([...owners.keys()].map(({ stream }) => stream))].sort()
  /** Of these the same is in place. */
  const done = new Set<BroughtFile>()
  for (const stream of streams) {
    const brought = [...owners.keys()].filter((file) => file.stream === stream)
    const { fates, failure } = await takeBest(files, to, stream, brought, now)
    for (const [file, fate] of fates) {
      const account = owners.get(file)!
      if (failure && fate.is === 'taken') account.wrongs.push({ ...failure, where: file.where })
      else if (tell(file, fate, account)) done.add(file)
    }
  }
  for (const [bundle, account] of accounts) {
    const its = bundle.files.filter((file) => done.has(file))
    if (its.length === 0) continue
    await writable?.open(bundle.directory)
    await removeDone(files, bundle, its, to, account)
  }
}

/** Sees to it that the best of what was brought for a stream and what is there is in place. */
export async function takeBest(
  files: Files,
  to: string,
  stream: string,
  brought: readonly BroughtFile[],
  now: Now
): Promise<{ fates: ReadonlyMap<BroughtFile, Fate>; failure: Wrong | undefined }> {
  const { pair, fates } = choose(await readPair(files, to, stream), brought, now)
  return { fates, failure: pair && (await placePair(files, to, stream, pair)) }
}

/** Tells what becomes of a file; gives whether the same is in place. */
function tell({ stream, kind, where }: BroughtFile, fate: Fate, { taken, wrongs }: Account): boolean {
  if (fate.is === 'refused') wrongs.push(wrong(fate.code, where, fate.detail))
  if (fate.is === 'shorter' && kind === 'token') {
    const detail = `it expires on ${dayOf(fate.untilMs)}; the one in use lasts longer, and stays`
    wrongs.push(wrong('UNDERSTUDY_PROVISION_SHORTER', where, detail))
  }
  if (fate.is === 'taken') taken.push(`${kind === 'token' ? 'the token' : 'the address'} of ${stream} (${where})`)
  return fate.is === 'taken' || fate.is === 'known'
}

/** Removes each file, and each archive as a whole, of which all is in place. */
async function removeDone(
  files: Files,
  bundle: Bundle,
  done: readonly BroughtFile[],
  to: string,
  account: Account
): Promise<void> {
  try {
    // A run that was killed may have left names that are not on the disk yet.
    await files.syncDirectory(`${to}/credentials`)
  } catch (error) {
    account.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', 'the folder of the credentials'))
    return
  }
  for (const path of new Set(done.map((file) => file.path))) {
    const inIt = bundle.files.filter((file) => file.path === path)
    if (bundle.badArchives.has(path) || !inIt.every((file) => done.includes(file))) continue
    const where = inIt.length > 1 ? inIt[0]!.where.split(': ')[0]! : inIt[0]!.where
    try {
      await files.remove(path)
      await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
    } catch (error) {
      account.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_LEFT', where))
    }
  }
}

async function placePair(files: Files, to: string, stream: string, pair: Pair): Promise<Wrong | undefined> {
  try {
    await files.makeDirectory(`${to}/credentials`, 0o700)
    for (const [kind, line] of [
      ['access', pair.accessUrl],
      ['token', pair.token]
    ] as const) {
      await placeFile(files, `${to}/credentials/log.${kind}.${stream}`, `${line}\n`, 0o600, `${to}/incoming`)
    }
    return undefined
  } catch (error) {
    return wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', stream)
  }
}

/** What is in place for a stream, as far as it can be read. */
async function readPair(files: Files, to: string, stream: string): Promise<Partial<Pair>> {
  const line = async <T>(kind: 'access' | 'token', parse: (text: string) => T): Promise<T | undefined> => {
    try {
      return parse((await files.readFile(`${to}/credentials/log.${kind}.${stream}`)).toString())
    } catch (error) {
      if (error instanceof UnderstudyError || systemCode(error) !== undefined) return undefined
      throw error
    }
  }
  const accessUrl = await line('access', (text) => accessUrlIn(text, 'it'))
  const token = await line('token', (text) => tokenIn(text, 'it').token)
  return { ...(accessUrl !== undefined && { accessUrl }), ...(token !== undefined && { token }) }
}
