import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { atEnd } from './cleanup.ts'

const program = (command: string, ...args: string[]): string =>
  execFileSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }
  })

/** An ext4 file system of its own in a file, whose writes can be counted. Needs root. */
export class LoopDisk {
  readonly directory: string
  readonly #device: string
  readonly #end: () => void

  constructor(options: { fastCommit: boolean; sizeMb: number }) {
    const place = mkdtempSync(join(tmpdir(), 'understudy-bench-disk-'))
    const removePlace = atEnd(() => rmSync(place, { recursive: true, force: true }))
    const image = join(place, 'image')
    this.directory = join(place, 'mounted')
    mkdirSync(this.directory)
    writeFileSync(image, '')
    truncateSync(image, options.sizeMb * 1024 ** 2)
    // Without "lazy" the kernel would go on formatting while we count.
    const features = options.fastCommit ? 'fast_commit' : '^fast_commit'
    program('mke2fs', '-q', '-t', 'ext4', '-O', features, '-E', 'lazy_itable_init=0,lazy_journal_init=0', image)
    this.#device = program('losetup', '--find', '--show', image).trim()
    const detach = atEnd(() => program('losetup', '--detach', this.#device))
    program('mount', '-o', 'noatime', this.#device, this.directory)
    const unmount = atEnd(() => program('umount', '--lazy', this.directory))
    this.#end = () => {
      unmount()
      detach()
      removePlace()
    }
  }

  /** Everything written to the device so far, the file system's journal included, after all that waits has been written. */
  writtenBytes(): number {
    program('sync', '--file-system', this.directory)
    const statistics = readFileSync(`/sys/block/${basename(this.#device)}/stat`, 'utf8')
      .trim()
      .split(/\s+/)
    return Number(statistics[6]) * 512
  }

  remove(): void {
    this.#end()
  }
}
