import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url))

/** The program as it is called, on one data folder, again and again. */
export class Recorder {
  readonly data: string
  readonly #folder: string
  #process: ChildProcess | undefined
  #output = ''

  private constructor(folder: string) {
    this.#folder = folder
    this.data = `${folder}/data`
  }

  static async prepare(folder: string, sockets: readonly string[]): Promise<Recorder> {
    const config = [
      '[streams]',
      `credentials = ${JSON.stringify(folder)}`,
      `sockets = ${JSON.stringify(sockets)}`,
      '[relay]',
      'read_interval = "50ms"',
      '[journal]',
      'commit_interval = "50ms"',
      'store_size = "1MB"'
    ]
    await writeFile(`${folder}/config.toml`, config.join('\n'))
    return new Recorder(folder)
  }

  start(): void {
    const args = ['--config', `${this.#folder}/config.toml`, '--data', this.data]
    this.#output = ''
    this.#process = spawn(process.execPath, [program, 'run', ...args, '--acks', `${this.#folder}/acks`])
    for (const output of [this.#process.stdout!, this.#process.stderr!]) {
      output.on('data', (text) => {
        this.#output += text
      })
    }
  }

  /** Ends it, and gives its exit code: null when the signal ended it. What it wrote is the message if it had ended before. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const ended = this.#process!
    if (ended.exitCode !== null) throw new Error(`it ended by itself: ${this.#output}`)
    const exit = once(ended, 'exit')
    ended.kill(signal)
    const [code] = await exit
    return code
  }

  /** The last number of each stream that it said was on the disk; a line that the kill cut off does not count. */
  async acknowledged(): Promise<Map<string, number>> {
    const text = await readFile(`${this.#folder}/acks`, 'utf8').catch(() => '')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return new Map(lines.filter(Boolean).map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
  }
}
