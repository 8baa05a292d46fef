import { zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Envelope } from './envelope.ts'

type Kind = 'STRING' | 'INT64' | 'INT32' | 'DOUBLE' | 'BOOLEAN'

/** The envelope's fields, in their order: what kind of column each is, and whether every row has it. */
const columns: Readonly<Record<keyof Envelope, readonly [kind: Kind, required?: true]>> = {
  stream: ['STRING', true],
  seq: ['INT64', true],
  part: ['INT32', true],
  time_us: ['INT64', true],
  clock_us: ['INT64'],
  time_uncertain: ['BOOLEAN'],
  mono_us: ['INT64', true],
  boot: ['STRING', true],
  synced: ['BOOLEAN', true],
  time_source: ['STRING'],
  origin: ['STRING', true],
  binary: ['BOOLEAN'],
  user: ['STRING'],
  t: ['DOUBLE'],
  exp: ['STRING'],
  course: ['STRING'],
  hardware: ['STRING'],
  type: ['STRING'],
  log: ['STRING'],
  raw: ['STRING'],
  raw_b64: ['STRING']
}

const names = Object.keys(columns) as Array<keyof Envelope>

const schema = [
  { name: 'schema', num_children: names.length },
  ...names.map((name) => {
    const [kind, required] = columns[name]
    const repetition_type = required ? ('REQUIRED' as const) : ('OPTIONAL' as const)
    if (kind !== 'STRING') return { name, type: kind, repetition_type }
    return { name, type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type }
  })
]

/** A row's share of a group beside its message, roughly. */
const ROW_BYTES = 256

/** One Parquet file, made row group by row group. Its rows wait in memory until they are taken as a group. */
export class ParquetFile {
  private readonly bytes = new ByteWriter(1 << 16)
  private readonly writer = new ParquetWriter({
    writer: this.bytes,
    schema,
    codec: 'ZSTD',
    compressors: { ZSTD: (data) => zstdCompressSync(data) },
    createdBy: 'understudy'
  })
  private rows: Envelope[] = []
  private bytesWaiting = 0

  /** About what the rows that wait take in memory. */
  get waitingBytes(): number {
    return this.bytesWaiting
  }

  add(row: Envelope): void {
    this.rows.push(row)
    this.bytesWaiting += ROW_BYTES + (row.raw ?? row.raw_b64 ?? '').length
  }

  /** What follows in the file: the rows that wait, as a row group. */
  group(): Buffer {
    const columnData = names.map((name) => ({ name, data: this.column(name) }))
    // without a `flush` it is done when it returns
    void this.writer.write({ columnData, rowGroupSize: Math.max(1, this.rows.length) })
    this.rows = []
    this.bytesWaiting = 0
    return this.take()
  }

  /** The end of the file. */
  end(): Buffer {
    void this.writer.finish()
    return this.take()
  }

  private column(name: keyof Envelope): unknown[] {
    const values = this.rows.map((row) => row[name])
    if (columns[name][0] !== 'INT64') return values
    return values.map((value) => (value === undefined ? undefined : BigInt(value as number)))
  }

  private take(): Buffer {
    const taken = Buffer.from(this.bytes.getBytes())
    this.bytes.index = 0
    return taken
  }
}
