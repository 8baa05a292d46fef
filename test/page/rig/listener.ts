import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/** A browser's event stream, without the browser. */
export class Listener {
  /** The texts of the page as this listener knows them, by id. */
  readonly values = new Map<string, string>()
  bytes = 0
  readonly #response: IncomingMessage
  #rest = ''

  private constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    // It may leave at any moment.
    response.on('error', () => {})
  }

  static async join(url: string): Promise<Listener> {
    const [response] = (await once(get(`${url}/api/events`, { agent: false }), 'response')) as [IncomingMessage]
    if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`)
    return new Listener(response)
  }

  /** Goes away without a word. */
  vanish(): void {
    this.#response.socket.resetAndDestroy()
  }

  #take(text: string): void {
    this.bytes += text.length
    const events = (this.#rest + text).split('\n\n')
    this.#rest = events.pop()!
    for (const event of events) {
      const [, data] = /^event: values\ndata: (.*)$/.exec(event) ?? []
      if (data === undefined) continue
      for (const [id, value] of Object.entries<string>(JSON.parse(data))) this.values.set(id, value)
    }
  }
}
