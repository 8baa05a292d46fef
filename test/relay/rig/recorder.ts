import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { onTestFailed, onTestFinished } from 'vitest'
import type { StreamCoverage } from '../../../src/journal/reading.ts'
import type { CredentialFiles } from '../../../src/sim/relay/credentials.ts'

const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
const program = fileURLToPath(new URL('../../../bin/understudy.js', import.meta.url))

/** What a command came to. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A line of the recorder's log. */
export interface Logged {
  readonly level: string
  readonly msg: string
  readonly stream?: string
  readonly cause?: string
  readonly code?: string
}

/** The program as it is called, on folders of its own, which are gone after the test. */
export class Recorder {
  readonly folder: string
  readonly data: string
  readonly credentials: string
  /** All that `run` has written, log and errors. */
  output = ''
  readonly #logged: Logged[] = []
  readonly #waiting = new Set<() => void>()
  readonly #environment: NodeJS.ProcessEnv
  #process: ChildProcess | undefined

  /** @param config TOML; where the credentials and the data are is added to the environment */
  static async prepare(config = '', environment: Readonly<Record<string, string>> = {}): Promise<Recorder> {
    const recorder = new Recorder(await mkdtemp(`${tmpdir()}/understudy-relay-`), environment)
    onTestFailed(() => console.error(recorder.output))
    onTestFinished(() => recorder.#remove())
    await mkdir(recorder.credentials)
    await writeFile(`${recorder.folder}/config.toml`, config)
    return recorder
  }

  private constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.folder = folder
    this.data = environment['UNDERSTUDY_DATA'] ?? `${folder}/data`
    this.credentials = `${folder}/credentials`
    this.#environment = {
      PATH: process.env['PATH'],
      UNDERSTUDY_CONFIG: `${folder}/config.toml`,
      UNDERSTUDY_DATA: this.data,
      UNDERSTUDY_CREDENTIALS: this.credentials,
      ...environment
    }
  }

  /** Puts the two files of a stream into the credentials folder, each whole at once. */
  async issue({ accessFile, tokenFile }: CredentialFiles): Promise<void> {
    for (const { name, content } of [accessFile, tokenFile]) {
      await writeFile(`${this.folder}/new`, content)
      await rename(`${this.folder}/new`, `${this.credentials}/${name}`)
    }
  }

  get pid(): number {
    return this.#process!.pid!
  }

  /** Starts `understudy run`. */
  start(): void {
    const child = this.#spawn(['run', '--acks', `${this.folder}/acks`])
    this.#process = child
    let rest = ''
    child.stdout!.on('data', (text: string) => {
      this.output += text
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      this.#logged.push(...lines.map((line) => JSON.parse(line) as Logged))
      for (const look of this.#waiting) look()
    })
    child.stderr!.on('data', (text: string) => {
      this.output += text
    })
  }

  /** Resolves when its log has so many lines like this one since the start. */
  untilLogged(like: Partial<Logged>, times = 1): Promise<void> {
    const isLike = (line: Logged): boolean =>
      Object.entries(like).every(([key, value]) => line[key as keyof Logged] === value)
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#logged.filter(isLike).length < times) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async untilHeard(streams: readonly string[], times = 1): Promise<void> {
    await Promise.all(streams.map((stream) => this.untilLogged({ stream, msg: 'heard' }, times)))
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process!.kill(signal)
  }

  /** Tells it to stop; gives its exit code and how long it took. */
  async stop(): Promise<{ code: number | null; ms: number }> {
    const child = this.#process!
    this.#process = undefined
    if (child.exitCode !== null) return { code: child.exitCode, ms: 0 }
    const beganMs = Date.now()
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await exit
    return { code, ms: Date.now() - beganMs }
  }

  /** Runs a command to its end. */
  async command(...args: string[]): Promise<Ran> {
    const child = this.#spawn(args)
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

  /** What a command that has to succeed prints as JSON. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.command(...args, '--json')
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`)
    return JSON.parse(out)
  }

  async coverage(): Promise<Map<string, StreamCoverage>> {
    const found = await this.json<StreamCoverage[]>('coverage')
    return new Map(found.map((one) => [one.stream, one]))
  }

  /** The lines of `export --raw`, by stream. */
  async exported(streams: readonly string[]): Promise<Map<string, string[]>> {
    const out = await mkdtemp(`${this.folder}/export-`)
    await this.json('export', '--raw', '--out', out)
    const read = async (stream: string): Promise<[string, string[]]> => {
      const text = await readFile(`${out}/${stream}.jsonl`, 'utf8').catch(() => '')
      return [stream, text.split('\n').slice(0, -1)]
    }
    return new Map(await Promise.all(streams.map(read)))
  }

  /** The last number of each stream that it said was on the disk. */
  async acknowledged(): Promise<Map<string, number>> {
    const lines = (await readFile(`${this.folder}/acks`, 'utf8')).split('\n').slice(0, -1)
    return new Map(lines.map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
  }

  #spawn(args: readonly string[]): ChildProcess {
    const child = spawn(node, [program, ...args], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.setEncoding('utf8')
    child.stderr.setEncoding('utf8')
    return child
  }

  async #remove(): Promise<void> {
    const child = this.#process
    if (child && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    await rm(this.folder, { recursive: true, force: true })
  }
}
