import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sealDay } from '../../src/sync/fixtures.ts'
import { realFiles } from '../../src/world/real/files.ts'
import { freePort } from '../support/free-port.ts'

const run = promisify(execFile)
const sources = new URL('../../', import.meta.url).pathname
const understudy = `${sources}src/cli/main.ts`
const receipt = `${sources}scripts/primary-receipt`

/** As a file is called in the primary's layout, of somebody whose id cannot be a file's name. */
export const encodedName = `=${'0a'.repeat(16)}-spin30-spinner-cie3.json`

/** What a program came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a program to its end; its exit code is not an error. */
export function ran(command: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }))
  })
}

/** Resolves when `holds` does, looked at every few ms. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5)
}

/** A primary with a real sshd of its own, on loopback; any user can run it. */
export class Primary {
  /** Where the Pis' folders are. */
  readonly directory: string
  readonly port: number
  readonly #home: string
  #sshd: ChildProcess | undefined
  #receipts: ChildProcess | undefined

  private constructor(home: string, directory: string, port: number) {
    this.#home = home
    this.directory = directory
    this.port = port
  }

  /** @param directory on a disk of its own, where it is to be full */
  static async start(directory?: string): Promise<Primary> {
    const home = await mkdtemp(`${tmpdir()}/understudy-primary-`)
    const primary = new Primary(home, directory ?? `${home}/far`, await freePort())
    await mkdir(primary.directory, { recursive: true })
    await writeFile(`${home}/authorized_keys`, '')
    await primary.renewHostKey()
    return primary
  }

  /** Ends the sshd and begins another, with a new key. */
  async renewHostKey(): Promise<void> {
    await this.#stopSshd()
    const key = `${this.#home}/host_key`
    await rm(key, { force: true })
    await rm(`${key}.pub`, { force: true })
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    const config = [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${key}`,
      `AuthorizedKeysFile ${this.#home}/authorized_keys`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'MaxStartups 100',
      ''
    ]
    await writeFile(`${this.#home}/sshd_config`, config.join('\n'))
    // Where root runs it, it wants a place to jail itself.
    if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true })
    this.#sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', `${this.#home}/sshd_config`], { stdio: 'ignore' })
    await until(() => this.#listens())
  }

  /** What `understudy sync --setup` wants here, but for what needs root. */
  async install(site: string, authorizedKeys: readonly string[]): Promise<void> {
    await mkdir(`${this.directory}/${site}`, { recursive: true })
    await mkdir(`${this.directory}/receipts/${site}`, { recursive: true })
    const path = `${this.#home}/authorized_keys`
    await writeFile(path, `${await readFile(path, 'utf8')}${authorizedKeys.join('\n')}\n`)
  }

  /** `primary-receipt`, once. */
  receipt(site: string): Promise<Ran> {
    return ran(receipt, [this.directory, site])
  }

  /** In place of the systemd units: writes receipts whenever there is something to write them for. */
  watch(...sites: string[]): void {
    const loop = 'while :; do for site do "$0" "$DIR" "$site"; done; sleep 0.1; done'
    const env = { ...process.env, DIR: this.directory }
    this.#receipts = spawn('sh', ['-c', loop, receipt, ...sites], { env, stdio: 'ignore', detached: true })
  }

  async unwatch(): Promise<void> {
    const loop = this.#receipts
    this.#receipts = undefined
    if (loop?.pid === undefined) return
    const exit = new Promise((resolve) => loop.once('exit', resolve))
    // With what it has just started.
    process.kill(-loop.pid, 'SIGKILL')
    await exit
  }

  async remove(): Promise<void> {
    await this.unwatch()
    await this.#stopSshd()
    await rm(this.#home, { recursive: true })
  }

  async #stopSshd(): Promise<void> {
    await ended(this.#sshd)
    this.#sshd = undefined
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1')
      socket.once('data', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
}

/** A Pi: a data folder and a config file, and the program as a person runs it. */
export class Pi {
  readonly site: string
  readonly data: string
  readonly #home: string
  readonly #primary: Primary

  private constructor(home: string, site: string, primary: Primary) {
    this.#home = home
    this.data = `${home}/data folder`
    this.site = site
    this.#primary = primary
  }

  /** Its keys are let in by the primary as `sync --setup` says. */
  static async make(site: string, primary: Primary, sync: readonly string[] = []): Promise<Pi> {
    const pi = new Pi(await mkdtemp(`${tmpdir()}/understudy-${site}-`), site, primary)
    await mkdir(pi.data)
    await pi.configure(sync)
    const setup = await pi.understudy('sync', '--setup', '--json')
    const { authorizedKeys } = JSON.parse(setup.out) as { authorizedKeys: string[] }
    await primary.install(site, authorizedKeys)
    return pi
  }

  /** @param sync more lines of [sync] */
  async configure(sync: readonly string[]): Promise<void> {
    const { directory, port } = this.#primary
    const target = `target = "${userInfo().username}@127.0.0.1:${directory}"`
    const site = [`site = "${this.site}"`, 'time_zone = "Etc/UTC"', '[clock]', 'trust = true']
    const lines = [...site, '[data]', `directory = "${this.data}"`, '[sync]', target]
    if (!sync.some((line) => line.startsWith('port'))) lines.push(`port = ${port}`)
    await writeFile(`${this.#home}/understudy.toml`, [...lines, ...sync, ''].join('\n'))
  }

  /** Puts a sealed folder of a day there. @returns its name */
  seal(day: number, bytes = 20_000): Promise<string> {
    const contents = {
      'spin30.jsonl.zst': randomBytes(bytes),
      'spin31.jsonl.zst': randomBytes(300),
      [encodedName]: randomBytes(9)
    }
    return sealDay(realFiles, this.data, this.site, day, contents)
  }

  /** Runs a command to its end. */
  understudy(command: string, ...args: string[]): Promise<Ran> {
    return ran(process.execPath, [understudy, command, '--config', `${this.#home}/understudy.toml`, ...args])
  }

  /** The same, to be killed. */
  spawn(command: string, ...args: string[]): ChildProcess {
    const line = [understudy, command, '--config', `${this.#home}/understudy.toml`, ...args]
    return spawn(process.execPath, line, { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** A script of a test on the same config, to be killed. */
  spawnScript(script: string, ...args: string[]): ChildProcess {
    const line = [script, `${this.#home}/understudy.toml`, ...args]
    return spawn(process.execPath, line, { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** What it knows of a folder's handing over. */
  async handed(
    name: string
  ): Promise<{ attempts: number; sentMs?: number; confirmedMs?: number; removed?: string } | undefined> {
    const path = `${this.data}/sync/handed/${name}.json`
    return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined
  }

  /** Differences between a folder here and on the primary; empty: none. */
  async difference(name: string): Promise<string> {
    const { out, err } = await ran('diff', ['-r', `${this.data}/captures/${name}`, this.there(name)])
    return out + err
  }

  /** Where a folder is on the primary. */
  there(name: string): string {
    return `${this.#primary.directory}/${this.site}/${name}`
  }

  async remove(): Promise<void> {
    await rm(this.#home, { recursive: true })
  }
}

/** A way to the primary on which a connection is cut when so many bytes have been sent through it. */
export class CuttingProxy {
  readonly port: number
  cutAfterBytes = Number.POSITIVE_INFINITY
  /** Sent over all connections. */
  bytes = 0
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, port: number, to: number) {
    this.#server = server
    this.port = port
    server.on('connection', (from) => this.#connected(from, connect(to, '127.0.0.1')))
  }

  static async start(to: number): Promise<CuttingProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new CuttingProxy(server, (server.address() as AddressInfo).port, to)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #connected(from: Socket, to: Socket): void {
    const cut = (): void => {
      from.destroy()
      to.destroy()
    }
    for (const socket of [from, to]) {
      this.#sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        cut()
      })
    }
    to.pipe(from)
    from.on('data', (data) => {
      const sent = data.subarray(0, this.cutAfterBytes)
      this.cutAfterBytes -= sent.length
      this.bytes += sent.length
      to.write(sent)
      if (this.cutAfterBytes > 0) return
      this.cuts++
      this.cutAfterBytes = Number.POSITIVE_INFINITY
      // What was sent still arrives.
      to.end(cut)
    })
  }
}
