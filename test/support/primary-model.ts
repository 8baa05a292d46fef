import type { Files } from '../../src/world/files.ts'

const nodes: Record<string, string[]> = {
  spinner: ['voltage_step', 'voltage_ramp', 'position_step', 'position_ramp', 'speed_step', 'speed_ramp'],
  pendulum: ['start', 'brake', 'load', 'free', 'sampling', 'drive_perc', 'brake_perc', 'measuring_tools', 'record']
}
const steps: Record<string, string> = { voltage: 'voltage_step', position: 'position_step', speed: 'speed_step' }

export interface Logged {
  user: string
  t: number
  exp: string
  course: string
  hardware: string
  type: string
  payload: { log: string }
}

/** What the primary does with its files, its faults included, written apart from our own reading of them. */
export class PrimaryModel {
  private readonly files: Files
  readonly directory: string

  constructor(files: Files, directory: string) {
    this.files = files
    this.directory = directory
  }

  /** It appends each message, as Python writes it. */
  async log(message: Logged): Promise<void> {
    const line = JSON.stringify(message, undefined, 1).replace(/\n\s*/g, ' ')
    await this.append(`${message.user}-${message.hardware}-${message.exp}-${message.course}.json`, `${line}\n`)
  }

  async append(name: string, text: string): Promise<void> {
    const path = `${this.directory}/${name}`
    const old = (await this.files.info(path)) ? (await this.files.readFile(path)).toString() : ''
    await this.files.writeFile(path, old + text)
  }

  /** It reads a student's raw logs, adds their transitions to the matrix, and keeps the last message only. */
  async count(user: string, exp: string, course: string): Promise<number[][]> {
    const logs = (await this.files.list(this.directory))
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${user}-`) && name.endsWith(`-${exp}-${course}.json`))
    const messages: Logged[] = []
    for (const name of logs) {
      for (const line of (await this.read(name)).split('\n')) {
        try {
          messages.push(JSON.parse(line))
        } catch {}
      }
    }
    if (logs.length > 1) messages.sort((a, b) => a.t - b.t)
    const names = nodes[exp]!
    const commands = messages
      .map(({ payload }) => steps[payload.log] ?? payload.log)
      .filter((one) => names.includes(one))
    const matrix = await this.matrix(user, exp, course)
    for (let index = 1; index < commands.length; index++) {
      matrix[names.indexOf(commands[index - 1]!)]![names.indexOf(commands[index]!)]!++
    }
    const lines = [`,${names.join(',')}`, ...matrix.map((row, i) => `${names[i]},${row.map((one) => one.toFixed(1))}`)]
    await this.files.writeFile(`${this.directory}/${user}-${exp}-${course}-adjacency.csv`, `${lines.join('\n')}\n`)
    if (commands.length > 1) {
      for (const name of logs) await this.files.remove(`${this.directory}/${name}`)
      await this.log(messages.at(-1)!)
    }
    return matrix
  }

  async matrix(user: string, exp: string, course: string): Promise<number[][]> {
    const name = `${user}-${exp}-${course}-adjacency.csv`
    const names = nodes[exp]!
    if (!(await this.files.info(`${this.directory}/${name}`))) return names.map(() => names.map(() => 0))
    const [, ...rows] = (await this.read(name)).trim().split('\n')
    return rows.map((row) => row.split(',').slice(1).map(Number))
  }

  async read(name: string): Promise<string> {
    return (await this.files.readFile(`${this.directory}/${name}`)).toString()
  }
}
