import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Runs a program of the system. */
const run = promisify(execFile)

/** An ext4 of its own in a file, mounted; needs root. */
export class LoopDisk {
  /** Where it is mounted. */
  readonly path: string
  readonly image: string

  private constructor(image: string) {
    this.image = image
    this.path = `${image}.mounted`
  }

  static async make(image: string, megabytes: number): Promise<LoopDisk> {
    await run('truncate', ['-s', `${megabytes}M`, image])
    // Nothing is kept for root, and nothing is written behind our back.
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image])
    return LoopDisk.mount(image)
  }

  /** Mounts an image that has a file system; its journal is replayed. */
  static async mount(image: string): Promise<LoopDisk> {
    const disk = new LoopDisk(image)
    await mkdir(disk.path, { recursive: true })
    await run('mount', ['-o', 'loop', image, disk.path])
    return disk
  }

  /** Copies the image as it is at this moment. Gives false when something was being written to it meanwhile. */
  async copy(to: string): Promise<boolean> {
    const device = (await run('findmnt', ['-no', 'SOURCE', this.path])).stdout.trim()
    const stat = `/sys/block/${device.slice('/dev/'.length)}/stat`
    const { stdout } = await run('sh', [
      '-c',
      'cat "$1" && cp --sparse=always "$2" "$3" && cat "$1"',
      'sh',
      stat,
      this.image,
      to
    ])
    // Of each line: the writes that are done, and the requests in flight.
    const [before, after] = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    return before![4] === after![4] && after![8] === '0'
  }

  /**
   * Makes it as dead as one that was pulled out under its mount. Detaching the loop device would not: it stays until the
   * last mount of it is gone. So ext4 itself is told to shut down (EXT4_IOC_SHUTDOWN, as its own tests do): from then on
   * every write, sync and read from the device gives EIO, nothing more reaches the image, not even what its journal
   * holds, and what is in the page cache is never written.
   */
  async pull(): Promise<void> {
    const shutDown =
      'import fcntl, os, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, b"\\2\\0\\0\\0")'
    await run('python3', ['-c', shutDown, this.path])
  }

  /** Unmounts it, which needs that nobody has a file open on it, and leaves the folder it was mounted on. */
  async unmount(): Promise<void> {
    await run('umount', [this.path])
  }

  /** Mounts it again; its journal is replayed. */
  async mountAgain(): Promise<void> {
    await run('mount', ['-o', 'loop', this.image, this.path])
  }

  async remove(): Promise<void> {
    // Also when something still has a file open on it.
    await run('umount', [this.path]).catch(() => run('umount', ['-l', this.path]).catch(() => {}))
    await rm(this.path, { recursive: true })
    await rm(this.image)
  }
}
