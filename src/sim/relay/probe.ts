import type { WebSocketConnection } from '../../world/sockets.ts'
import type { World } from '../../world/world.ts'

/** What a probe has met, in order. */
export type Met =
  | { readonly kind: 'opened' | 'ping' }
  | { readonly kind: 'pong'; readonly payload: string }
  | { readonly kind: 'message'; readonly payload: Buffer; readonly binary: boolean }
  | { readonly kind: 'closed'; readonly code: number; readonly error: string | undefined }

/** A plain websocket client for tests: remembers what it meets and can wait for it. */
export class Probe {
  readonly met: Met[] = []
  readonly connection: WebSocketConnection
  readonly #waiting = new Set<() => void>()

  constructor(world: World, url: string, maxPayloadBytes = 64 * 1024 * 1024) {
    const note = (met: Met): void => {
      this.met.push(met)
      for (const look of this.#waiting) look()
    }
    this.connection = world.sockets.connect(
      url,
      { handshakeTimeoutMs: 10_000, maxPayloadBytes },
      {
        opened: () => note({ kind: 'opened' }),
        message: (payload, binary) => note({ kind: 'message', payload, binary }),
        ping: () => note({ kind: 'ping' }),
        pong: (payload) => note({ kind: 'pong', payload: payload.toString() }),
        closed: (code, error) => note({ kind: 'closed', code, error })
      }
    )
  }

  /** Resolves when what was met satisfies `enough`. */
  until(enough: (probe: Probe) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!enough(this)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when something of this kind has been met, from the start on. */
  untilMet(kind: Met['kind']): Promise<void> {
    return this.until(() => this.met.some((met) => met.kind === kind))
  }

  /** Opened, and the relay hears it: resolves at the pong to a ping. */
  async untilHeard(): Promise<void> {
    await this.untilMet('opened')
    this.connection.ping(Buffer.from('heard'))
    await this.untilMet('pong')
  }

  /** The frames so far. */
  frames(): Array<{ payload: Buffer; binary: boolean }> {
    return this.met.flatMap((met) => (met.kind === 'message' ? [met] : []))
  }

  /** All the text so far, frames put together. */
  text(): string {
    return Buffer.concat(this.frames().map(({ payload }) => payload)).toString()
  }
}
