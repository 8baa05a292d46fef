import { createHash, X509Certificate } from 'node:crypto'
import { whyUnreadable } from '../config/text-file.ts'
import { isTable } from '../config/values.ts'
import type { Files } from '../world/files.ts'
import type { Tree } from './config-text.ts'

const MOST_BYTES = 1e6

/** Certificates that a config names, by the path where they are to be kept. */
export type Certificates = ReadonlyMap<string, Buffer>

/**
 * Where there is a `ca_file`, the name of a file beside the config or a path, the tree is made to name the place where a copy
 * is to be kept: a stick goes again, and the recorder does not start without what it is to trust.
 * @param keep the folder of the copies
 * @returns the copies to be made, or what is wrong, as `network.ca_file: …`
 */
export async function findCertificates(
  files: Files,
  tree: Tree,
  beside: string,
  keep: string
): Promise<{ certificates: Certificates } | { place: string; what: string }> {
  const certificates = new Map<string, Buffer>()
  for (const section of ['network', 'wifi']) {
    const table = tree[section]
    const name = isTable(table) && table['ca_file']
    if (!isTable(table) || typeof name !== 'string' || !/^(\/[^\0]*|[^/\\\0]+)$/.test(name)) continue
    const path = name.startsWith('/') ? name : `${beside}/${name}`
    const place = `${section}.ca_file`
    let bytes: Buffer
    try {
      const size = (await files.info(path))?.sizeBytes ?? 0
      if (size > MOST_BYTES) return { place, what: 'the file is too large for certificates' }
      bytes = await files.readFile(path)
    } catch (error) {
      return {
        place,
        what: `there is no such file beside understudy.toml, or it cannot be read (${whyUnreadable(error)})`
      }
    }
    if (!isPem(bytes)) return { place, what: 'the file holds no certificate in PEM (-----BEGIN CERTIFICATE-----)' }
    const kept = `${keep}/${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.pem`
    certificates.set(kept, bytes)
    table['ca_file'] = kept
  }
  return { certificates }
}

function isPem(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.length > 0 && bytes.includes('-----BEGIN CERTIFICATE-----')
  } catch {
    return false
  }
}
