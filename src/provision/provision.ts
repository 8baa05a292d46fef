import { dirname } from 'node:path'
import type { Config } from '../config/config.ts'
import { readText } from '../config/text-file.ts'
import { UnderstudyError } from '../errors.ts'
import { isMounted } from '../journal/disks.ts'
import { syncPaths } from '../sync/paths.ts'
import type { Files } from '../world/files.ts'
import type { World } from '../world/world.ts'
import type { Account } from './account.ts'
import { type Bundle, lookThrough } from './brought.ts'
import type { Now } from './choose.ts'
import { parseTree, type Tree } from './config-text.ts'
import { gatherFacts, passwordFile, recordable } from './facts.ts'
import { type IdentityPlaces, putAsideOther, saveIdentity } from './identity.ts'
import { placeFile } from './place.ts'
import { reportText, saysTheSame } from './report.ts'
import { restoreIdentity } from './restore-identity.ts'
import { readState, type State, type Taken, writeState } from './state.ts'
import { tellSystem } from './system.ts'
import { takeConfig } from './take-config.ts'
import { takeCredentials } from './take-credentials.ts'
import { Writable } from './writable.ts'
import { type Wrong, wrong, wrongOf } from './wrong.ts'

export interface ProvisionOptions {
  /** Folders that may bring something. Of two configs the later folder's counts. */
  readonly from: readonly string[]
  /** The folder where it is kept. */
  readonly to: string
  /** Below it is written what the system is to be told; without it, nothing is. */
  readonly run?: string | undefined
  /** Where on the data disk the identity is copied to and from. */
  readonly identity?: string | undefined
  /** The user who records, and is to own what was taken in. */
  readonly owner?: string | undefined
  /** A config whose keys hold where the one that was brought does not say otherwise. */
  readonly base?: string | undefined
  /** Each folder that may bring something is a mount that is read-only, and stays so but while it is written. */
  readonly remount?: boolean
}

export interface Provisioned {
  /** In the order of the folders. */
  readonly accounts: readonly Account[]
  /** What is wrong with no folder, but with this machine. */
  readonly wrongs: readonly Wrong[]
  /** The streams that can be recorded now. */
  readonly streams: readonly string[]
}

const REPORT = 'understudy-report.txt'
const MOST_BASE_BYTES = 1e6
const CHOWN_MS = 60_000

/**
 * Takes in what the folders bring, puts it into place, and writes a report back to each. It may be ended at any moment:
 * what was in use stays, whole, and the next run goes on.
 * @throws UNDERSTUDY_CONFIG_UNREADABLE, UNDERSTUDY_CONFIG_INVALID for the base
 */
export async function provision(world: World, options: ProvisionOptions): Promise<Provisioned> {
  const { files, clock } = world
  const { from, to, base, run, identity, owner } = options
  const baseTree = base === undefined ? {} : await readBase(files, base)
  const writable = options.remount ? new Writable(world.programs) : undefined
  const isFirst = (await files.info(`${to}/state.json`).catch(() => true)) === undefined
  const places = identity === undefined ? undefined : { data: dirname(to), to, identity }
  const before = places ? await restoreIdentity(files, places) : { restored: false, wrongs: [] }
  const wrongs = [...before.wrongs]
  const state = await readState(files, to)
  const pairs: Array<readonly [Bundle, Account]> = []
  for (const directory of from) {
    const bundle = await lookThrough(files, directory)
    pairs.push([bundle, { directory, taken: [], wrongs: [...bundle.wrongs] }])
  }
  const accounts = pairs.map(([, account]) => account)
  const config = await takeConfig(files, pairs, to, baseTree, state)
  const now = { ms: clock.wallUs() / 1000, known: config.clock.trust || (await clock.synchronised()) }
  await takeCredentials(files, pairs, to, now, writable)
  wrongs.push(...(await tellSystem(files, config, to, run)))
  const facts = await gatherFacts(world, config)
  if (before.restored) state.taken.push({ ...when(now), from: identity!, what: 'the identity of the machine before' })
  for (const directory of isFirst ? from : []) {
    if (!(await files.info(`${directory}/${REPORT}`).catch(() => undefined))) continue
    const what = 'NOTHING OF WHAT WAS HERE BEFORE: the data of this machine was gone, although it has reported here'
    state.taken.push({ ...when(now), from: directory, what })
  }
  // What could not be taken from the disk is not written over.
  const kept = before.wrongs.length === 0 ? places : undefined
  if (kept) wrongs.push(...(await makeRoom(files, kept, state, now)))
  wrongs.push(...(await remember(files, to, state, accounts, now)))
  if (kept) wrongs.push(...(await saveIdentity(files, kept)))
  if (owner !== undefined) wrongs.push(...(await give(world, owner, config, to)))
  const report = reportText({ config, accounts, wrongs, facts, taken: state.taken, now })
  for (const account of accounts) await leaveReport(files, account, report, facts.addresses.length > 0, writable)
  await writable?.close()
  const configured = (await files.info(`${to}/understudy.toml`).catch(() => undefined)) !== undefined
  return { accounts, wrongs: [...wrongs, ...facts.wrongs], streams: configured ? recordable(facts, now) : [] }
}

async function readBase(files: Files, path: string): Promise<Tree> {
  const text = await readText(files, path, MOST_BASE_BYTES).catch((error: unknown) => {
    throw new UnderstudyError('UNDERSTUDY_CONFIG_UNREADABLE', path, { cause: error })
  })
  const parsed = parseTree(text)
  if ('tree' in parsed) return parsed.tree
  throw new UnderstudyError('UNDERSTUDY_CONFIG_INVALID', `${path}: line ${parsed.fault.line}: ${parsed.fault.what}`)
}

/** Makes room on the data disk for the copy of this machine's identity: that of another one is moved aside, and told of. */
async function makeRoom(files: Files, places: IdentityPlaces, state: State, now: Now): Promise<Wrong[]> {
  if (!(await isMounted(files, dirname(places.identity)))) return []
  const { former, wrongs } = await putAsideOther(files, places)
  if (wrongs.length === 0) state.isNew = false
  if (former !== undefined) {
    const what = `nothing: it is another machine's, and was put aside there as ${former}`
    state.taken.push({ ...when(now), from: places.identity, what })
  }
  return wrongs
}

/** Adds to the state what was taken, and keeps it. */
async function remember(
  files: Files,
  to: string,
  state: State,
  accounts: readonly Account[],
  now: Now
): Promise<Wrong[]> {
  for (const { directory, taken } of accounts) {
    for (const what of taken) state.taken.push({ ...when(now), from: directory, what })
  }
  try {
    await writeState(files, to, state)
    return []
  } catch (error) {
    return [wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', 'the record of what was taken in')]
  }
}

function when({ ms, known }: Now): Pick<Taken, 'atMs' | 'guessed'> {
  return { atMs: ms, guessed: !known }
}

/** What was made here belongs to whoever ran this: root, on the Pi. The recorder has to read it. */
async function give({ files, programs }: World, owner: string, config: Config, to: string): Promise<Wrong[]> {
  const { directory, keys } = syncPaths(config)
  const password = passwordFile(config)
  try {
    const paths: string[] = []
    for (const path of [to, directory, keys.upload, keys.receipts, password, `${password}.scrypt`]) {
      if (await files.info(path)) paths.push(path)
    }
    const { code } = await programs.run('chown', ['-R', '-h', `${owner}:`, ...paths], { timeoutMs: CHOWN_MS })
    return code === 0 ? [] : [wrong('UNDERSTUDY_PROVISION_OWNER', owner)]
  } catch (error) {
    return [wrongOf(error, 'UNDERSTUDY_PROVISION_OWNER', owner)]
  }
}

/**
 * Writes the report unless it says the same as the one there: a card that is not written cannot be damaged by a cut.
 * @param located whether the machine has an address by now: if not, those of the last report may still be right
 */
async function leaveReport(
  files: Files,
  { directory, wrongs }: Account,
  report: string,
  located: boolean,
  writable: Writable | undefined
): Promise<void> {
  const path = `${directory}/${REPORT}`
  try {
    const before = (await files.info(path)) ? (await files.readFile(path)).toString() : ''
    if (saysTheSame(before, report, located)) return
    await writable?.open(directory)
    await placeFile(files, path, report, 0o644, `${directory}/understudy-report.new`)
  } catch (error) {
    wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_REPORT', REPORT))
  }
}
