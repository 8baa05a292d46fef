import { createHash } from 'node:crypto'
import { stringify } from 'smol-toml'
import type { Files } from '../world/files.ts'
import { type Certificates, findCertificates } from './certificates.ts'
import { type Fault, faultsOf, parseTree, type Tree } from './config-text.ts'
import { laptopText } from './laptop-text.ts'
import { lineOf } from './line-of.ts'

const MOST_BYTES = 1e6

/** A config that lies in a folder. */
export interface BroughtConfig {
  /** Of what it says: comments and spaces do not count. */
  readonly digest: string
  /** Empty where nothing could be read. */
  readonly tree: Tree
  /** Copies that are to be made of what it names. */
  readonly certificates: Certificates
  readonly faults: readonly Fault[]
  /** What is odd about its bytes. */
  readonly odd: string | undefined
}

/**
 * Reads a config that somebody has edited somewhere.
 * @param keep the folder where copies of certificates are to be
 * @throws Node's error when the file cannot be read
 */
export async function readConfig(files: Files, path: string, keep: string): Promise<BroughtConfig> {
  if (((await files.info(path))?.sizeBytes ?? 0) > MOST_BYTES) {
    return nothing({ line: undefined, what: `it is larger than ${MOST_BYTES} bytes`, section: undefined })
  }
  const { text, odd } = laptopText(await files.readFile(path))
  const parsed = parseTree(text)
  if ('fault' in parsed) return nothing(parsed.fault, odd)
  const { tree } = parsed
  const found = await findCertificates(files, tree, path.slice(0, path.lastIndexOf('/')), keep)
  const faults = faultsOf(tree, text)
  const certificates = 'certificates' in found ? found.certificates : new Map()
  const digest = createHash('sha256').update(stringify(tree)).digest('hex')
  if ('certificates' in found) return { digest, tree, certificates, faults, odd }
  const { place, what } = found
  // The schema has only seen that it is no path.
  const others = faults.filter((fault) => !fault.what.startsWith(`${place}:`))
  const fault = { line: lineOf(text, place), what: `${place}: ${what}`, section: place.split('.')[0] }
  return { digest, tree, certificates, faults: [...others, fault], odd }
}

function nothing(fault: Fault, odd?: string): BroughtConfig {
  return { digest: '', tree: {}, certificates: new Map(), faults: [fault], odd }
}
