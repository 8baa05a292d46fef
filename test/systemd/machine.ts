import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ran, ran } from '../sync/rig.ts'

/**
 * A machine under a systemd of its own: a container with this machine's system and network, and a layer in memory that
 * takes all that is written. Nothing that is enabled here starts there. Needs root.
 */
export class Machine {
  /** Its root, as seen from outside. */
  readonly root: string
  readonly #folder: string
  readonly #nspawn: ChildProcess
  #leader = ''
  #console = ''

  private constructor(folder: string, binds: readonly string[]) {
    this.#folder = folder
    this.root = `${folder}/root`
    // With no systemd here there is no one to register it with.
    const alone = ['--register=no', '--keep-unit', '--link-journal=no', '--quiet', `--machine=${basename(folder)}`]
    // As on a real machine whether its clock is synchronised can be asked; nothing in it may set it.
    const clock = '--system-call-filter=adjtimex clock_adjtime'
    const all = [...alone, clock, ...binds.map((bind) => `--bind-ro=${bind}`), `--directory=${this.root}`, '--boot']
    const env = { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' }
    this.#nspawn = spawn('systemd-nspawn', all, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#nspawn.stdout!, this.#nspawn.stderr!]) {
      stream.on('data', (text: Buffer) => {
        this.#console += text.toString()
      })
    }
  }

  /** @param binds `OUTSIDE:INSIDE`, folders that it is shown */
  static async boot(...binds: string[]): Promise<Machine> {
    const folder = await mkdtemp(`${tmpdir()}/understudy-systemd-`)
    await layered(folder)
    const machine = new Machine(folder, binds)
    try {
      await machine.#booted()
    } catch (error) {
      await machine.remove()
      throw error
    }
    return machine
  }

  /** Runs a program in it to its end; its exit code is not an error. */
  run(...command: string[]): Promise<Ran> {
    const spaces = ['--mount', '--pid', '--uts', '--ipc', '--cgroup']
    return ran('nsenter', [`--target=${this.#leader}`, ...spaces, '--', ...command])
  }

  /** What a program that has to succeed prints. */
  async tell(...command: string[]): Promise<string> {
    const { code, out, err } = await this.run(...command)
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${out}${err}`)
    return out.trim()
  }

  /** A property of a unit, as `systemctl show` has it. */
  property(unit: string, name: string): Promise<string> {
    return this.tell('systemctl', 'show', '--property', name, '--value', unit)
  }

  async remove(): Promise<void> {
    if (this.#nspawn.exitCode === null && this.#nspawn.signalCode === null) {
      const gone = once(this.#nspawn, 'exit')
      // All that runs in it goes with its first process.
      if (this.#leader === '') this.#nspawn.kill('SIGKILL')
      else process.kill(Number(this.#leader), 'SIGKILL')
      await gone
    }
    await unlayered(this.#folder)
  }

  async #booted(): Promise<void> {
    for (let state = ''; state !== 'running' && state !== 'degraded'; ) {
      if (this.#nspawn.exitCode !== null) throw new Error(`systemd-nspawn ended: ${this.#console}`)
      await sleep(50)
      const { pid } = this.#nspawn
      this.#leader = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
      if (this.#leader !== '') state = (await this.run('systemctl', 'is-system-running')).out.trim()
    }
  }
}

/** `root` in the folder: this machine's root, with a layer in memory over it that has nothing enabled. */
async function layered(folder: string): Promise<void> {
  const [memory, root] = [`${folder}/memory`, `${folder}/root`]
  await mkdir(memory)
  await mkdir(root)
  await mount('-t', 'tmpfs', 'understudy-suite', memory)
  await mkdir(`${memory}/upper`)
  await mkdir(`${memory}/work`)
  await mount('-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${memory}/upper,workdir=${memory}/work`, root)
  const own = `${root}/etc/systemd/system`
  for (const name of await readdir(own)) {
    if (name.endsWith('.wants') || name.endsWith('.requires')) await rm(`${own}/${name}`, { recursive: true })
  }
  for (const name of await readdir(`${root}/etc`)) {
    if (/^rc\d\.d$/.test(name)) await rm(`${root}/etc/${name}`, { recursive: true })
  }
  await writeFile(`${root}/etc/fstab`, '')
}

async function unlayered(folder: string): Promise<void> {
  for (const name of ['root', 'memory']) await ran('umount', ['--lazy', `${folder}/${name}`])
  await rm(folder, { recursive: true })
}

async function mount(...args: string[]): Promise<void> {
  const { code, err } = await ran('mount', args)
  if (code !== 0) throw new Error(err)
}
