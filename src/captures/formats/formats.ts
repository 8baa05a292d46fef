import type { CaptureConfig } from '../../config/config.ts'
import type { Us } from '../../world/time.ts'
import type { Compression } from '../compressed-file.ts'
import { envelope } from './envelope.ts'
import type { FolderFormat, Format } from './format.ts'
import { lineFiles } from './line-files.ts'
import { parquet } from './parquet.ts'
import { primary } from './primary.ts'
import { raw } from './raw.ts'

export type FormatName = CaptureConfig['format']

/** Those that are one run of lines, and can be compressed as a whole. */
export const lineFormats: Readonly<Partial<Record<FormatName, Format>>> = { envelope, raw }

export interface FormatOptions {
  /** Of the files of lines; none where absent. */
  readonly compression?: Compression | undefined
  /** What a moment's day is called, where a format has a file a day; see `parquet`. */
  readonly dayOf?: (us: Us) => string | undefined
}

const folderFormats: Readonly<Record<FormatName, (options: FormatOptions) => FolderFormat>> = {
  envelope: ({ compression }) => lineFiles(envelope, compression),
  raw: ({ compression }) => lineFiles(raw, compression),
  parquet: ({ dayOf }) => parquet(dayOf),
  primary: () => primary
}

export const formatNames = Object.keys(folderFormats) as FormatName[]

/** Every format that an export or a capture may have. */
export function folderFormat(name: FormatName, options: FormatOptions = {}): FolderFormat {
  return folderFormats[name](options)
}
