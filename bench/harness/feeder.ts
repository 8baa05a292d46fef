import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Feed, FromFeeder, ToFeeder } from '../feeder.ts'
import { spinners } from '../messages.ts'
import { atEnd } from './cleanup.ts'

/** The feeding process. */
export class Feeder {
  readonly streams: readonly string[]
  readonly #child: ChildProcess
  readonly #port: number
  readonly #end: () => void
  #connected = 0
  #receivers = 0

  private constructor(streamCount: number, child: ChildProcess, port: number, end: () => void) {
    this.streams = spinners(streamCount)
    this.#child = child
    this.#port = port
    this.#end = end
    child.on('message', (message: FromFeeder) => {
      if ('connected' in message) this.#connected = message.connected
    })
  }

  static async start(streamCount: number, seed: number): Promise<Feeder> {
    const child = fork(new URL('../feeder.ts', import.meta.url), [String(streamCount), String(seed)])
    const end = atEnd(() => child.kill('SIGKILL'))
    const [message] = (await once(child, 'message')) as [{ port: number }]
    return new Feeder(streamCount, child, message.port, end)
  }

  url(stream: string): string {
    return `ws://127.0.0.1:${this.#port}/ws/${stream}`
  }

  /** Resolves when one more receiver than at its last call has opened every stream. */
  async opened(): Promise<void> {
    const wanted = ++this.#receivers * this.streams.length
    const deadline = performance.now() + 60_000
    while (this.#connected !== wanted) {
      if (performance.now() > deadline) throw new Error(`${this.#connected} of ${wanted} websockets were opened`)
      await pause(10)
    }
  }

  /** Makes the messages; they are sent when what it gives is called, which resolves when the last is sent. */
  async prepare(feed: Feed): Promise<() => Promise<{ messages: number; bytes: number }>> {
    await this.#ask<{ ready: true }>({ prepare: feed }, 'ready')
    return async () => (await this.#ask<{ fed: { messages: number; bytes: number } }>({ go: true }, 'fed')).fed
  }

  stop(): void {
    this.#end()
  }

  #ask<Answer>(message: ToFeeder, expected: string): Promise<Answer> {
    return new Promise((resolve) => {
      const hear = (answer: FromFeeder): void => {
        if (!(expected in answer)) return
        this.#child.off('message', hear)
        resolve(answer as Answer)
      }
      this.#child.on('message', hear)
      this.#child.send(message)
    })
  }
}
