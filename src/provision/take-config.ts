import { stringify } from 'smol-toml'
import type { Config } from '../config/config.ts'
import { validate } from '../config/validate.ts'
import { isTable } from '../config/values.ts'
import { explain, UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import type { Account } from './account.ts'
import type { Bundle } from './brought.ts'
import type { Certificates } from './certificates.ts'
import { type Fault, parseTree, type Tree } from './config-text.ts'
import { placeFile } from './place.ts'
import { type BroughtConfig, readConfig } from './read-config.ts'
import type { State } from './state.ts'
import { type Wrong, wrong, wrongOf } from './wrong.ts'

const HEAD = `# Made by \`understudy provision\`, anew at each start, of the understudy.toml that was brought and of what belongs to this
# machine. Change the one on the card or the stick instead. What joins the wireless network is left out.
`

/** The config in force as it was brought. */
const TAKEN = 'taken.toml'
/** What is right in the last bad one: it counts until there is a good one, also where the next stick brings none. */
const IN_PART = 'taken-in-part.toml'

/**
 * Takes in the configs that are valid and new since the last of their folder, the last folder's last, and puts what is in
 * force into `to`/understudy.toml. Where no good one ever came, what can be used of a bad one is.
 * @param base what holds where the config does not say otherwise
 * @throws UNDERSTUDY_CONFIG_INVALID when the base itself is wrong
 */
export async function takeConfig(
  files: Files,
  bundles: ReadonlyArray<readonly [Bundle, Account]>,
  to: string,
  base: Tree,
  state: State
): Promise<Config> {
  const { tree: kept, whole } = await readInForce(files, to)
  let inForce = kept
  let useful = (await readTree(files, `${to}/${IN_PART}`)) ?? {}
  const valid: Array<readonly [Account, Tree]> = []
  for (const [{ directory, configFile }, account] of bundles) {
    const brought = configFile && (await readAndTell(files, configFile, to, account, inForce !== undefined))
    if (!brought) continue
    const { digest, tree, faults, certificates } = brought
    if (faults.length > 0) {
      const right = withoutFaulty(tree, faults)
      if (inForce || Object.keys(right).length === 0) continue
      // The recorder does not start when it cannot read what it is to trust.
      const failure = await keepCertificates(files, to, certificates)
      if (!failure) useful = right
      const unkept = failure ?? (await keepTree(files, to, IN_PART, right))
      if (unkept) account.wrongs.push(unkept)
      continue
    }
    if (Object.keys(tree).length === 0) continue
    valid.push([account, tree])
    if (inForce && whole && state.seen[directory] === digest) continue
    useful = tree
    const failure = await keep(files, to, tree, certificates)
    if (failure) account.wrongs.push(failure)
    else {
      inForce = tree
      state.seen[directory] = digest
      account.taken.push('understudy.toml')
    }
  }
  for (const [account, tree] of valid) if (inForce) tellOther(account, tree, inForce)
  return effective(files, to, base, inForce ?? useful, bundles[0]?.[1])
}

/** Reads a config, and tells all that is wrong in it; `undefined` when it cannot be read. */
async function readAndTell(
  files: Files,
  path: string,
  to: string,
  { wrongs }: Account,
  replaces: boolean
): Promise<BroughtConfig | undefined> {
  const where = path.slice(path.lastIndexOf('/') + 1)
  try {
    const brought = await readConfig(files, path, `${to}/ca`)
    if (brought.odd !== undefined) wrongs.push(wrong('UNDERSTUDY_PROVISION_ODD_TEXT', where, brought.odd))
    const meanwhile = replaces ? 'the last good one stays in force' : 'only what is right in it is used'
    for (const { line, what } of brought.faults) {
      const place = line === undefined ? where : `${where}, line ${line}`
      wrongs.push(wrong('UNDERSTUDY_CONFIG_INVALID', place, what, `correct it; until then ${meanwhile}`))
    }
    return brought
  } catch (error) {
    wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_SOURCE', where))
    return undefined
  }
}

/** Tells that a good config is not the one in force. */
function tellOther({ wrongs }: Account, tree: Tree, inForce: Tree): void {
  if (stringify(tree) === stringify(inForce)) return
  const [its, used] = [tree, inForce].map(({ host }) => (isTable(host) ? host['name'] : undefined))
  const { what } = explain('UNDERSTUDY_PROVISION_NOT_IN_FORCE')
  const names =
    its === used ? '' : `; the two give different names to this machine: ${its ?? 'none'} and ${used ?? 'none'}`
  wrongs.push(wrong('UNDERSTUDY_PROVISION_NOT_IN_FORCE', 'understudy.toml', `${what}${names}`))
}

async function keepCertificates(files: Files, to: string, certificates: Certificates): Promise<Wrong | undefined> {
  try {
    if (certificates.size > 0) await files.makeDirectory(`${to}/ca`, 0o755)
    for (const [path, bytes] of certificates) await placeFile(files, path, bytes, 0o644)
    return undefined
  } catch (error) {
    return wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', 'ca_file')
  }
}

async function keep(files: Files, to: string, tree: Tree, certificates: Certificates): Promise<Wrong | undefined> {
  return (await keepCertificates(files, to, certificates)) ?? keepTree(files, to, TAKEN, tree)
}

async function keepTree(files: Files, to: string, name: string, tree: Tree): Promise<Wrong | undefined> {
  try {
    await files.makeDirectory(to, 0o750)
    await placeFile(files, `${to}/${name}`, stringify(tree), 0o600)
    return undefined
  } catch (error) {
    return wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', 'understudy.toml')
  }
}

/**
 * The config in force as it was brought; where that is damaged, what the recorder has of it, which knows of no wireless network,
 * and then all that lies in the folders is to be looked at anew.
 */
async function readInForce(files: Files, to: string): Promise<{ tree: Tree | undefined; whole: boolean }> {
  const path = `${to}/${TAKEN}`
  // Where none was ever taken in, what lies beside it is nobody's.
  if ((await files.info(path).catch(() => true)) === undefined) return { tree: undefined, whole: true }
  const tree = await readTree(files, path)
  if (tree) return { tree, whole: true }
  const { wifi: _, ...rest } = (await readTree(files, `${to}/understudy.toml`)) ?? {}
  return { tree: rest, whole: false }
}

async function readTree(files: Files, path: string): Promise<Tree | undefined> {
  try {
    const parsed = parseTree((await files.readFile(path)).toString())
    return 'tree' in parsed ? parsed.tree : undefined
  } catch {
    return undefined
  }
}

/** The tree without the tables in which something is wrong. */
function withoutFaulty(tree: Tree, faults: readonly Fault[]): Tree {
  const faulty = new Set(faults.map(({ section }) => section))
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !faulty.has(key)))
}

async function effective(
  files: Files,
  to: string,
  base: Tree,
  tree: Tree,
  account: Account | undefined
): Promise<Config> {
  const own = { streams: { credentials: `${to}/credentials` } }
  const whole = merge(merge(base, tree), own)
  const result = validate(whole)
  if ('faults' in result) {
    // Good by itself, it does not fit the base; or a later release does not take what an earlier one did.
    if (Object.keys(tree).length === 0) {
      throw new UnderstudyError(
        'UNDERSTUDY_CONFIG_INVALID',
        result.faults.map(({ place, what }) => `${place}: ${what}`).join('\n  ')
      )
    }
    for (const { place, what } of result.faults) {
      account?.wrongs.push(wrong('UNDERSTUDY_CONFIG_INVALID', 'understudy.toml', `${place}: ${what}`))
    }
    const faults = result.faults.map(({ place }) => ({ line: undefined, what: '', section: place.split(/[.,]/)[0] }))
    const less = withoutFaulty(tree, faults)
    const fewer = Object.keys(less).length < Object.keys(tree).length
    return effective(files, to, base, fewer ? less : {}, account)
  }
  const { wifi } = whole
  const shown = isTable(wifi) ? { ...whole, wifi: { ...wifi, password: undefined, identity: undefined } } : whole
  try {
    await files.makeDirectory(to, 0o750)
    await placeFile(files, `${to}/understudy.toml`, `${HEAD}${stringify(shown)}`, 0o640)
  } catch (error) {
    account?.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_NO_PLACE', 'understudy.toml'))
  }
  return result.config
}

/** Tables are merged key by key; of anything else, the second one counts. */
function merge(under: Tree, over: Tree): Tree {
  const merged = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isTable(before) && isTable(value) ? merge(before, value) : value
  }
  return merged
}
