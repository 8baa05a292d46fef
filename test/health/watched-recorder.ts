import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { connectRunning } from '../../src/cli/local/open.ts'
import type { Status } from '../../src/cli/local/status.ts'
import type { Verdict } from '../../src/health/verdict.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { certificate, serving } from '../../src/world/real/fixtures.ts'
import { Recorder } from '../relay/rig/recorder.ts'
import { world } from '../relay/rig/relays.ts'
import { freePort } from '../support/free-port.ts'

/** What it called by itself. */
export interface Told extends Verdict {
  readonly kind: 'verdict' | 'heartbeat'
  readonly atMs: number
}

/** What each of those says who are to agree. */
export interface Word {
  readonly state: Verdict['state']
  readonly sentence?: string
}

/** Exit codes of `understudy status`. */
const states: Readonly<Record<number, Verdict['state']>> = { 0: 'ok', 1: 'attention', 5: 'failing' }

/** `understudy run` beside a relay, with somebody who takes its notifications over TLS. Gone after the test. */
export class WatchedRecorder {
  readonly relay: SimulatedRelay
  readonly recorder: Recorder
  readonly told: Told[]

  readonly #page: string

  private constructor(relay: SimulatedRelay, recorder: Recorder, told: Told[], page: string) {
    this.relay = relay
    this.recorder = recorder
    this.told = told
    this.#page = page
  }

  /**
   * Resolves when its one stream, spin30, is heard.
   * @param sections more of the config, as TOML by section, `clock` say
   * @param environment UNDERSTUDY_DATA, where the data folder is to be elsewhere
   */
  static async start(
    sections: Readonly<Record<string, string>> = {},
    environment: Readonly<Record<string, string>> = {}
  ): Promise<WatchedRecorder> {
    const relay = new SimulatedRelay(world, { secret: 'a secret of the suite' })
    await relay.start()
    onTestFinished(() => relay.stop())
    const told: Told[] = []
    const tls = await certificate()
    const sink = await serving(
      {
        async request({ body }) {
          told.push(JSON.parse(body) as Told)
          return { status: 204, body: '' }
        }
      },
      tls
    )
    const port = await freePort()
    const all: Record<string, string> = {
      clock: 'trust = true',
      relay: 'ping_interval = "1s"\nsilence_timeout = "2s"',
      health: 'unheard = "1s"\nlook_interval = "1s"',
      status: `port = ${port}`,
      notify: `url = "https://${sink.address}/hook"`,
      ...sections
    }
    const recorder = await Recorder.prepare('', environment)
    const ca = `${recorder.folder}/ca.pem`
    await writeFile(ca, tls.cert)
    all['network'] = `ca_file = "${ca}"`
    const toml = Object.entries(all).map(([name, text]) => `[${name}]\n${text}\n`)
    await writeFile(`${recorder.folder}/config.toml`, toml.join(''))
    await recorder.issue(relay.credentials('spin30'))
    recorder.start()
    await recorder.untilHeard(['spin30'])
    return new WatchedRecorder(relay, recorder, told, `http://127.0.0.1:${port}`)
  }

  /** Over its local socket, which takes no time. */
  async status(): Promise<Status> {
    const running = await connectRunning(world, this.recorder.data)
    if (!running) throw new Error('it does not run')
    return running.status()
  }

  /** Who is to agree, each with how it is asked. */
  channels(): Readonly<Record<string, () => Promise<Word | undefined>>> {
    return {
      status: async () => (await this.status()).health?.verdict,
      'status in words': async () => {
        const { code, out } = await this.recorder.command('status')
        const state = states[code ?? -1]
        return state && { state, sentence: out.split('\n')[0]! }
      },
      'exit code': async () => {
        const state = states[(await this.recorder.command('status', '--json')).code ?? -1]
        return state && { state }
      },
      notification: async () => this.told.at(-1),
      page: async () => {
        const html = await this.#get('/')
        const { sentence, state } = (await this.status()).health!.verdict
        return html.includes(escaped(sentence)) ? { state, sentence } : undefined
      },
      'the page, as JSON': async () => (JSON.parse(await this.#get('/api/status')) as { verdict: Verdict }).verdict,
      metrics: async () => {
        const [, state] = /^understudy_verdict\{state="(\w+)"\} 1$/m.exec(await this.#get('/metrics')) ?? []
        return { state: state as Verdict['state'] }
      }
    }
  }

  async #get(path: string): Promise<string> {
    const answer = await fetch(`${this.#page}${path}`)
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return answer.text()
  }

  /** Resolves when the verdict has a reason of this code, or none at all. */
  async untilFound(code: string | undefined): Promise<Verdict> {
    for (;;) {
      const verdict = (await this.status()).health?.verdict
      const codes = verdict?.reasons.map((reason) => reason.code) ?? []
      if (verdict && (code === undefined ? verdict.state === 'ok' : codes.includes(code))) return verdict
      await sleep(50)
    }
  }

  /** Resolves when it has called by itself what this says. */
  async untilTold(isSo: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.told.findLast(isSo)
      if (found) return found
      await sleep(50)
    }
  }
}

/** As it stands in HTML. */
function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, (one) => `&#${one.charCodeAt(0)};`)
}
