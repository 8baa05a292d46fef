import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { validate } from '../../../src/config/validate.ts'
import { FakeRecorder } from '../../../src/status/fixtures.ts'
import { StatusServer } from '../../../src/status/server.ts'
import { realWorld } from '../../../src/world/real.ts'
import { freePort } from '../../support/free-port.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A page that is served on 127.0.0.1, of whatever a test makes of its recorder. */
export class Shown {
  readonly recorder: FakeRecorder
  readonly url: string
  readonly directory: string
  private readonly server: StatusServer

  private constructor(recorder: FakeRecorder, server: StatusServer, directory: string) {
    this.recorder = recorder
    this.server = server
    this.directory = directory
    this.url = server.url!.slice(0, -1)
  }

  static async start(recorder = new FakeRecorder()): Promise<Shown> {
    const directory = await mkdtemp(`${tmpdir()}/understudy-page-`)
    const status = { port: await freePort(), show_students: true }
    const checked = validate({ time_zone: 'Europe/London', data: { directory }, status })
    if ('faults' in checked) throw new Error(checked.faults.join())
    const server = new StatusServer(await realWorld(), checked.config, recorder, quiet)
    server.start()
    server.opened(recorder.journal())
    await server.served()
    return new Shown(recorder, server, directory)
  }

  async password(): Promise<string> {
    return (await readFile(`${this.directory}/status-password`, 'utf8')).trim()
  }

  async stop(): Promise<void> {
    await this.server.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}
