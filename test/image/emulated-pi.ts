import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { tell } from './monitor.ts'

/** How the guest calls this machine's loopback. */
export const HOST = '10.0.2.2'

/** qemu takes a card only if its size is a power of two. */
const CARD_BYTES = 4 * 1024 ** 3

/** Where the boot partition begins on the card. */
const BOOT_OFFSET = '4M'
const BOOT_OFFSET_BYTES = 4 * 1024 ** 2
const BOOT_BYTES = 256 * 1024 ** 2

/** An emulated watchdog is not to be relied on: nobody promises that it counts as the Pi's does. */
const NO_WATCHDOG = 'systemd.watchdog_sec=off'

/** `virt` is quick, and has none of a Pi's devices; `raspi3b` has its card and USB. */
export type Board = 'virt' | 'raspi3b'

export interface BootOptions {
  /** Where, on `virt`, all that is written to the card is logged; see WriteLog. */
  readonly writeLog?: string
  /** What its clock says at the start, as `2020-01-01T00:00:00`; a Pi has none. Default: the time. */
  readonly clock?: string
  /** Its network cable is not in. */
  readonly unplugged?: boolean
}

/** What a command on the Pi came to. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Puts files onto a FAT file system.
 * @param fat its image, as the mtools are told
 */
export function putOnFat(fat: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    execFileSync('mcopy', ['-o', '-i', fat, '-', `::${name}`], { input: content })
  }
}

/** A file of a FAT file system; nothing where there is none. */
export function onFat(fat: string, name: string): string {
  return spawnSync('mtype', ['-i', fat, `::${name}`], { encoding: 'utf8' }).stdout
}

/** A Pi in qemu with a card of its own, whose power can be cut. */
export class EmulatedPi {
  readonly card: string
  readonly #folder: string
  readonly #sshPort: number
  readonly #pagePort: number
  #qemu: ChildProcess | undefined

  private constructor(folder: string, sshPort: number, pagePort: number) {
    this.#folder = folder
    this.card = join(folder, 'card.img')
    this.#sshPort = sshPort
    this.#pagePort = pagePort
  }

  /** @param image .img.zst */
  static async flash(image: string): Promise<EmulatedPi> {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-pi-'))
    const pi = new EmulatedPi(folder, await freePort(), await freePort())
    execFileSync('zstd', ['-q', '-d', '--sparse', image, '-o', pi.card])
    truncateSync(pi.card, CARD_BYTES)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'technician', '-f', join(folder, 'key')])
    for (const name of ['vmlinuz', 'initrd.img', 'cmdline.txt', 'bcm2837-rpi-3-b.dtb']) {
      execFileSync('mcopy', ['-i', `${pi.card}@@${BOOT_OFFSET}`, `::${name}`, join(folder, name)])
    }
    return pi
  }

  /** The public key of who may log in. */
  get sshKey(): string {
    return readFileSync(join(this.#folder, 'key.pub'), 'utf8').trim()
  }

  /** Puts files onto the boot partition, as somebody does on a laptop. */
  put(files: Readonly<Record<string, string | Uint8Array>>): void {
    putOnFat(`${this.card}@@${BOOT_OFFSET}`, files)
  }

  /** Takes a file away from the boot partition. */
  takeAway(name: string): void {
    execFileSync('mdel', ['-i', `${this.card}@@${BOOT_OFFSET}`, `::${name}`])
  }

  /** A file of the boot partition; nothing where there is none. */
  onBoot(name: string): string {
    return onFat(`${this.card}@@${BOOT_OFFSET}`, name)
  }

  /** Resolves when the report on the boot partition says this, with what it says. */
  async untilReported(what: RegExp): Promise<string> {
    const report = (): string => this.onBoot('understudy-report.txt').replaceAll('\r', '')
    await this.#until(() => what.test(report()))
    return report()
  }

  /**
   * Damages a file of the boot partition as a worn card does: its entry names a place beyond the card's end.
   * @param entry its name as FAT has it, in 11 characters
   */
  damage(entry: string): void {
    const card = openSync(this.card, 'r+')
    const partition = Buffer.alloc(BOOT_BYTES)
    readSync(card, partition, 0, partition.length, BOOT_OFFSET_BYTES)
    const at = partition.indexOf(entry)
    if (at < 0) throw new Error(`no ${entry}`)
    // The upper half of the number of its first cluster.
    writeSync(card, Buffer.from([0xff, 0x0f]), 0, 2, BOOT_OFFSET_BYTES + at + 20)
    closeSync(card)
  }

  /** Where the data partition begins on the card, in bytes. */
  dataPartition(): number {
    const table = execFileSync('sfdisk', ['--json', this.card], { encoding: 'utf8' })
    return JSON.parse(table).partitiontable.partitions[2].start * 512
  }

  async boot(board: Board, options: BootOptions = {}): Promise<void> {
    writeFileSync(join(this.#folder, 'console'), '')
    const console = openSync(join(this.#folder, 'console'), 'a')
    const cmdline = readFileSync(join(this.#folder, 'cmdline.txt'), 'utf8').trim()
    const forward = `hostfwd=tcp:127.0.0.1:${this.#sshPort}-:22,hostfwd=tcp:127.0.0.1:${this.#pagePort}-:80`
    const line = [
      ...['-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
      ...['-S', '-qmp', `unix:${this.#monitor},server=on,wait=off`, '-rtc', `base=${options.clock ?? 'utc'}`],
      ...['-kernel', join(this.#folder, 'vmlinuz'), '-initrd', join(this.#folder, 'initrd.img')],
      ...['-append', `${cmdline} console=ttyAMA0${board === 'raspi3b' ? ` ${NO_WATCHDOG}` : ''}`],
      ...['-netdev', `user,id=cable,${forward}`],
      ...(board === 'virt' ? this.#virt(options.writeLog) : this.#raspi3b())
    ]
    this.#qemu = spawn('qemu-system-aarch64', line, { stdio: ['ignore', console, console] })
    closeSync(console)
    if (options.unplugged) await this.cable(false)
    await this.#tell('cont')
  }

  /** Puts its network cable in, or pulls it out. */
  async cable(isIn: boolean): Promise<void> {
    await this.#tell('set_link', { name: 'cable', up: isIn })
  }

  /** Plugs in a USB stick; it can be taken out again by its name. */
  async plugIn(name: string, image: string): Promise<void> {
    await this.#tell('blockdev-add', { 'node-name': name, driver: 'raw', file: { driver: 'file', filename: image } })
    await this.#tell('device_add', { driver: 'usb-storage', id: name, drive: name, bus: 'usb.0', removable: true })
  }

  /** Takes a USB stick out. */
  async takeOut(name: string): Promise<void> {
    await this.#tell('device_del', { id: name })
  }

  /** What it has written to its serial console since the boot. */
  get console(): string {
    const path = join(this.#folder, 'console')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** Resolves when its console says this. */
  async untilSaid(what: RegExp): Promise<void> {
    await this.#until(() => what.test(this.console))
  }

  /** Pulls the plug. */
  async cut(): Promise<void> {
    const qemu = this.#qemu
    this.#qemu = undefined
    if (!qemu || qemu.exitCode !== null || qemu.signalCode !== null) return
    const exit = once(qemu, 'exit')
    qemu.kill('SIGKILL')
    await exit
  }

  /** Resolves when somebody can log in. */
  async untilSsh(): Promise<void> {
    await this.#until(async () => (await this.#greeting()).startsWith('SSH-'))
  }

  /** Runs a command on it, as root, to its end. */
  async ssh(command: string): Promise<Ran> {
    const child = this.sshChild(command)
    let [out, err] = ['', '']
    child.stdout!.on('data', (text: string) => {
      out += text
    })
    child.stderr!.on('data', (text: string) => {
      err += text
    })
    const [code] = await once(child, 'close')
    return { code, out, err }
  }

  /** The output of a command that has to succeed. */
  async told(command: string): Promise<string> {
    const { code, out, err } = await this.ssh(command)
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${err}${out}`)
    return out
  }

  /** The same, while it runs. Its host key is taken at first sight, and must then stay. */
  sshChild(command: string): ChildProcess {
    const options = [
      ...['-o', `UserKnownHostsFile=${join(this.#folder, 'known_hosts')}`, '-o', 'StrictHostKeyChecking=accept-new'],
      ...['-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR', '-i', join(this.#folder, 'key'), '-p', `${this.#sshPort}`]
    ]
    const child = spawn('ssh', [...options, 'root@127.0.0.1', command], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout!.setEncoding('utf8')
    child.stderr!.setEncoding('utf8')
    return child
  }

  /** Asks its page. */
  page(path: string, password?: string): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`any:${password}`).toString('base64')}`
    return fetch(`http://127.0.0.1:${this.#pagePort}${path}`, {
      headers: password === undefined ? {} : { authorization },
      redirect: 'manual'
    })
  }

  /** Resolves when its page says that what comes is recorded. */
  async untilReady(): Promise<void> {
    await this.#until(() =>
      this.page('/readyz').then(
        ({ ok }) => ok,
        () => false
      )
    )
  }

  async remove(): Promise<void> {
    await this.cut()
    await rm(this.#folder, { recursive: true })
  }

  #virt(writeLog: string | undefined): string[] {
    const board = ['-M', 'virt', '-cpu', 'cortex-a53', '-smp', '2', '-m', '1024', '-device', 'qemu-xhci,id=usb']
    const devices = ['-device', 'virtio-net-pci,netdev=cable', '-device', 'virtio-blk-pci,drive=card,write-cache=on']
    const file = (path: string): string => `driver=raw,file.driver=file,file.filename=${path}`
    if (writeLog === undefined) return [...board, '-blockdev', `node-name=card,${file(this.card)}`, ...devices]
    writeFileSync(writeLog, '')
    const nodes = [`node-name=disk,${file(this.card)}`, `node-name=log,${file(writeLog)}`]
    const logged = 'node-name=card,driver=blklogwrites,file=disk,log=log,log-sector-size=512'
    return [...board, ...[...nodes, logged].flatMap((node) => ['-blockdev', node]), ...devices]
  }

  #raspi3b(): string[] {
    const tree = join(this.#folder, 'bcm2837-rpi-3-b.dtb')
    const disk = `file=${this.card},format=raw,if=sd`
    return ['-M', 'raspi3b', '-dtb', tree, '-drive', disk, '-device', 'usb-net,netdev=cable']
  }

  #tell(command: string, args: object = {}): Promise<unknown> {
    return tell(this.#monitor, command, args)
  }

  get #monitor(): string {
    return join(this.#folder, 'monitor')
  }

  /** Fails where the machine has ended by itself. */
  async #until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      const code = this.#qemu?.exitCode
      if (code !== null) throw new Error(`qemu ended with ${code}: ${this.console.slice(-2000)}`)
      await sleep(200)
    }
  }

  /** What its sshd says to who comes; nothing while there is none. */
  #greeting(): Promise<string> {
    return new Promise((resolve) => {
      const socket = createConnection(this.#sshPort, '127.0.0.1')
      const answer = (text: string): void => {
        socket.destroy()
        resolve(text)
      }
      socket.setTimeout(5000, () => answer(''))
      socket.once('data', (data) => answer(data.toString()))
      socket.once('error', () => answer(''))
      socket.once('close', () => answer(''))
    })
  }
}
