import { saidIn } from '../../analytics/standby/said.ts'
import type { Content, Request } from '../../analytics/wire/requests.ts'
import { type Ms, sleep } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { RelayPeer } from '../relay/peer.ts'
import { StreamClient } from '../relay/stream-client.ts'

/** How a request is replied to. */
export interface Manner {
  readonly afterMs: Ms
  /** Only so many of what was asked for; default: all. */
  readonly count?: number
}

/** The part of a primary that replies to dashboards on one stream: in Python's way of writing JSON, all at once. */
export class ReplyingPrimary {
  readonly #world: World
  readonly #client: StreamClient
  readonly #manner: (request: Request) => Manner | undefined

  /** @param manner asked at each request; `undefined`: it is not replied to at all */
  constructor(world: World, relay: RelayPeer, stream: string, manner: (request: Request) => Manner | undefined) {
    this.#world = world
    this.#manner = manner
    this.#client = new StreamClient(world, relay, stream, (frame) => {
      for (const one of saidIn(frame)) if (one.kind === 'request') void this.#reply(one.request)
    })
  }

  start(): Promise<void> {
    return this.#client.join()
  }

  stop(): void {
    this.#client.leave()
  }

  async #reply(request: Request): Promise<void> {
    const manner = this.#manner(request)
    if (!manner) return
    const { afterMs, count = request.contents.length } = manner
    await sleep(this.#world.timers, afterMs)
    for (const { content } of request.contents.slice(0, count)) this.#client.send(pythonReply(request, content))
  }
}

/** Enough of a reply to be recognised; what is in it is nobody's. */
function pythonReply({ user, exp, course }: Request, content: Content): string {
  const of = content === 'comparison_graph' ? '' : `"course": ${JSON.stringify(course)}, `
  return `{"user": ${JSON.stringify(user)}, "type": "response", "exp": ${JSON.stringify(exp)}, ${of}"content": "${content}", "nodes": []}`
}
