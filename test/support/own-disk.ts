import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { LoopDisk } from './loop-disk.ts'

/** A disk of a test's own, and a folder beside it. */
export interface OwnDisk {
  readonly folder: string
  readonly disk: LoopDisk
}

/** To be called at the top of a file: each test of it, or all of them together, get a disk of this size; needs root. */
export function ownDisk(megabytes: number, per: 'test' | 'file'): OwnDisk {
  const own = {} as { folder: string; disk: LoopDisk }
  const [before, after] = per === 'test' ? [beforeEach, afterEach] : [beforeAll, afterAll]
  before(async () => {
    own.folder = await mkdtemp(`${tmpdir()}/understudy-disk-`)
    own.disk = await LoopDisk.make(`${own.folder}/disk`, megabytes)
  })
  after(async () => {
    await own.disk?.remove()
    await rm(own.folder, { recursive: true, force: true })
  })
  return own
}
