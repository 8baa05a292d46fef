/** LevelDB. One process may have a store open. */
export interface Stores {
  /**
   * @throws UNDERSTUDY_STORE_IN_USE when another process has it open, UNDERSTUDY_STORE_UNREADABLE when LevelDB refuses
   * it. With `create: false` nothing is made, with `create: true` it must not exist yet.
   */
  open(directory: string, options: { create: boolean; writeBufferBytes?: number }): Promise<Store>
  /** LevelDB's own repair, in place: for copies only. */
  repair(directory: string): Promise<void>
  /**
   * The names of the tables in which a checksum is wrong. To be asked before a store is opened: LevelDB does not look at
   * them, and some damage makes it end the process.
   * @param except names of tables that are not looked at
   */
  damagedTables(directory: string, except?: ReadonlySet<string>): Promise<string[]>
  /**
   * What may be values of keys of this length in a table or a log, in the order of the file, whatever else it has lost.
   * Most are none: the values' own checksums must tell. Some may come twice.
   */
  fragments(file: string, keyBytes: number): Promise<Iterable<Buffer>>
}

export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export interface Range {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

export interface Scan {
  /** Up to `count` pairs in order, none at the end. Bounded by about 1 MB a call, one pair at least. */
  next(count: number): Promise<Array<[Buffer, Buffer]>>
  close(): Promise<void>
}

export interface Store {
  get(key: Uint8Array): Promise<Buffer | undefined>
  /** All or nothing. With `sync`, on the disk when it resolves. */
  batch(operations: Operation[], options: { sync: boolean }): Promise<void>
  /** The pairs of a range, as they are at this moment. */
  scan(range: Range): Scan
  /** Compacts all of it. */
  compact(): Promise<void>
  close(): Promise<void>
}
