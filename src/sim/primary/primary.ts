import { createHash } from 'node:crypto'
import type { Files } from '../../world/files.ts'
import type { Us } from '../../world/time.ts'
import type { Machine } from '../world/machine.ts'
import type { FakeProgram } from '../world/programs.ts'

const LATENCY_US = 20_000

type Ended = Awaited<ReturnType<FakeProgram>>

/**
 * A primary as a Pi reaches it: its rsync, ssh and ssh-keygen, as far as they are used, with the far side in memory.
 * Both keys are restricted as they should be: nothing there is ever overwritten.
 */
export class SimulatedPrimary {
  /** By path below the target's folder, e.g. `pi1/daily/2026-03-29/manifest.json`. */
  readonly files = new Map<string, Buffer>()
  /** Its disk holds so much. */
  roomBytes = Number.POSITIVE_INFINITY
  /** The connection is cut when so many more bytes have been sent. */
  cutAfterBytes = Number.POSITIVE_INFINITY
  reachable = true
  hostKey = 'ssh-ed25519 first'
  restricted = true
  /** Whether `primary-receipt` is installed. */
  answers = true
  /** Called each time receipts were written. */
  onReceipts = (): void => {}
  /** Of content, over all connections. */
  sentBytes = 0
  /** Transfers that go on at this moment, and the most there were at a time. */
  transfers = 0
  mostTransfers = 0
  readonly #site: string
  readonly #machine: Machine

  /** @param machine the Pi that hands over */
  constructor(machine: Machine, site: string) {
    this.#machine = machine
    this.#site = site
    machine.programs.set('ssh-keygen', (args, { world }) => onDisk(255, () => keygen(args, world.files)))
    machine.programs.set('ssh', (args, { world }) =>
      onDisk(255, async () => {
        await this.#wait(LATENCY_US)
        return (await this.#refusal(args.join(' '), world.files)) ?? { code: this.restricted ? 1 : 42 }
      })
    )
    machine.programs.set('rsync', async (args, { world, onOutput }) => {
      this.mostTransfers = Math.max(this.mostTransfers, ++this.transfers)
      try {
        return await onDisk(23, async () => {
          await this.#wait(LATENCY_US)
          const refusal = await this.#refusal(args.join(' '), world.files)
          if (refusal) return refusal
          const [from = '', to = ''] = args.slice(-2)
          const options = args.slice(0, -2)
          if (from.startsWith('receipts:')) return this.#download(to, world.files)
          const ended = await this.#upload(options, from, to.replace('upload:', ''), world.files)
          onOutput('  10,000 100%    1.00MB/s    0:00:01\r')
          return ended
        })
      } finally {
        this.transfers--
      }
    })
  }

  /** What lies in one of the site's folders, by file. */
  folder(name: string): Map<string, Buffer> {
    const path = `${this.#site}/${name}/`
    const here = [...this.files].filter(([file]) => file.startsWith(path))
    return new Map(here.map(([file, content]) => [file.slice(path.length), content]))
  }

  /** What `primary-receipt` does. */
  receipts(): void {
    const folders = new Set<string>()
    for (const path of this.files.keys()) {
      const [site, capture, folder, file, more] = path.split('/')
      const visible = site === this.#site && !capture?.startsWith('.') && more === undefined
      if (visible && file === 'manifest.json') folders.add(`${capture}/${folder}`)
    }
    for (const path of [...this.files.keys()]) {
      const [, folder] = /^receipts\/[^/]+\/(.*)\.sha256$/.exec(path) ?? []
      if (folder !== undefined && !folders.has(folder)) this.files.delete(path)
    }
    const notes = [...this.folder('.notes').keys()].filter((name) => name.endsWith('-recheck'))
    const asked = `# ${notes.sort().at(-1) ?? ''}`
    for (const name of folders) {
      const path = `receipts/${this.#site}/${name}.sha256`
      if (this.files.get(path)?.toString().split('\n')[0] === asked) continue
      const sums = [...this.folder(name)].map(([file, content]) => `${sha256(content)}  ./${file}\n`)
      this.files.set(path, Buffer.from(`${asked}\n${sums.sort().join('')}`))
      for (const file of this.folder(`.partial/${name}`).keys())
        this.files.delete(`${this.#site}/.partial/${name}/${file}`)
    }
    this.onReceipts()
  }

  /** What ssh says instead of connecting, which pins the host key at the first time. */
  async #refusal(commandLine: string, files: Files): Promise<Ended | undefined> {
    if (!this.reachable) return { code: 255, stderr: 'ssh: connect to host primary port 22: Connection refused\n' }
    const [, configPath = ''] = /-F "?([^"]*\/ssh_config)/.exec(commandLine) ?? []
    const config = (await files.readFile(configPath)).toString()
    const [, path = ''] = /UserKnownHostsFile "(.*)"/.exec(config) ?? []
    const known = (await files.info(path)) ? (await files.readFile(path)).toString() : ''
    // What a power cut has left of a line is none.
    const pinned = [...known.matchAll(/^ssh-ed25519 \w+(?=\n)/gm)].map(([line]) => line)
    if (pinned.includes(this.hostKey)) return undefined
    if (pinned.length > 0) return { code: 255, stderr: 'Host key verification failed.\n' }
    await files.writeFile(path, `${this.hostKey}\n`)
    return undefined
  }

  async #upload(options: readonly string[], from: string, to: string, files: Files): Promise<Ended> {
    const excluded = options.includes('--exclude=/manifest.json') ? 'manifest.json' : undefined
    const bases = options.filter((option) => option.startsWith('--link-dest=/')).map((option) => option.slice(13))
    const names = (await files.list(from.slice(0, -1))).map(({ name }) => name).sort()
    for (const name of names.filter((name) => name !== excluded)) {
      const path = `${this.#site}/${to}${name}`
      if (this.files.has(path)) continue
      const content = await files.readFile(`${from}${name}`)
      const existing = bases.map((base) => this.files.get(`${this.#site}/${base}/${name}`))
      const same = existing.find((other) => other?.equals(content))
      if (same) {
        this.files.set(path, same)
        continue
      }
      const basis = existing.find((other) => other !== undefined) ?? Buffer.alloc(0)
      const known = content.subarray(0, basis.length).equals(basis) ? basis.length : 0
      const failed = await this.#receive(path, content, known, options.includes('--partial'))
      if (failed) return failed
    }
    if (to.startsWith('.notes/') && this.answers) this.#machine.simulation.schedule(500_000, () => this.receipts())
    return { code: 0 }
  }

  async #receive(path: string, content: Buffer, known: number, partial: boolean): Promise<Ended | undefined> {
    const used = [...new Set(this.files.values())].reduce((sum, { length }) => sum + length, 0)
    const room = Math.max(this.roomBytes - used, 0)
    const wanted = content.length - known
    const sent = Math.min(wanted, this.cutAfterBytes, Math.max(room - known, 0))
    this.cutAfterBytes -= sent
    this.sentBytes += sent
    await this.#wait(LATENCY_US + sent)
    if (!this.reachable) this.cutAfterBytes = 0
    if (sent === wanted && (this.cutAfterBytes > 0 || sent === 0)) {
      this.files.set(path, content)
      return undefined
    }
    if (partial && sent > 0) this.files.set(path, content.subarray(0, known + sent))
    if (room - known <= sent) return { code: 11, stderr: 'rsync: write failed: No space left on device (28)\n' }
    this.cutAfterBytes = Number.POSITIVE_INFINITY
    return { code: 12, stderr: 'rsync: connection unexpectedly closed\n' }
  }

  /** As `rsync --checksum --delete`: only what is another is written. */
  async #download(to: string, files: Files): Promise<Ended> {
    const receipts = `receipts/${this.#site}/`
    const wanted = new Map<string, Buffer>()
    for (const [path, content] of this.files) {
      if (path.startsWith(receipts)) wanted.set(path.slice(receipts.length), content)
    }
    await files.makeDirectory(to.slice(0, -1))
    const there = new Set<string>()
    for (const { name: capture } of await files.list(to)) {
      for (const { name } of await files.list(`${to}${capture}`)) {
        if (wanted.has(`${capture}/${name}`)) there.add(`${capture}/${name}`)
        else await files.remove(`${to}${capture}/${name}`)
      }
    }
    for (const [name, content] of wanted) {
      const path = `${to}${name}`
      if (there.has(name) && (await files.readFile(path)).equals(content)) continue
      await files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
      await files.writeFile(path, content)
    }
    return { code: 0 }
  }

  #wait(us: Us): Promise<void> {
    return new Promise((resolve) => this.#machine.simulation.schedule(us, resolve))
  }
}

/** A private key that is not whole is none; nothing of it is synced, as by the real one. */
async function keygen(args: readonly string[], files: Files): Promise<Ended> {
  const path = args[args.indexOf('-f') + 1]!
  if (args.includes('-y')) {
    const key = (await files.readFile(path)).toString()
    return key === 'PRIVATE' ? { code: 0, stdout: `ssh-ed25519 PUBLIC ${path}\n` } : { code: 255 }
  }
  await files.writeFile(path, 'PRIVATE', 0o600)
  await files.writeFile(`${path}.pub`, 'PUBLIC')
  return { code: 0 }
}

/** A program that cannot read or write its own files says so, and ends with a code. */
async function onDisk(code: number, work: () => Promise<Ended>): Promise<Ended> {
  try {
    return await work()
  } catch (error) {
    return { code, stderr: `rsync: [sender] ${error instanceof Error ? error.message : error}\n` }
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
