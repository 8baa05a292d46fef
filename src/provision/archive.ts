import { gunzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { UnderstudyError } from '../errors.ts'

const MOST_BYTES = 16 * 1024 * 1024
const MOST_ENTRIES = 10_000

export interface ArchivedFile {
  /** The last part of its name, whatever folders stood before it. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Whether a file's name is that of an archive that is looked into. */
export function isArchive(name: string): boolean {
  return /\.(tar|tar\.gz|tgz)$/i.test(name)
}

/**
 * The plain files in a tar, gzipped or not, for whose last names `wanted` holds. Where it would put them is not looked at:
 * nothing is unpacked, links and devices are passed over.
 * @throws UNDERSTUDY_PROVISION_ARCHIVE
 */
export async function readArchive(bytes: Uint8Array, wanted: (name: string) => boolean): Promise<ArchivedFile[]> {
  let entries = 0
  try {
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b
    const tar = zipped ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes
    const filter = ({ name, type }: { name: string; type?: string | undefined }): boolean => {
      if (++entries > MOST_ENTRIES) throw new RangeError('too many entries')
      return type === 'file' && wanted(lastName(name))
    }
    const unpacked = await unpackTar(tar, { strict: true, filter })
    return unpacked.flatMap(({ header, data }) => (data ? [{ name: lastName(header.name), bytes: data }] : []))
  } catch (error) {
    throw new UnderstudyError('UNDERSTUDY_PROVISION_ARCHIVE', '', { cause: error })
  }
}

function lastName(name: string): string {
  return name.split(/[/\\]/).at(-1) ?? ''
}
