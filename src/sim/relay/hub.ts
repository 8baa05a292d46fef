import type { Client, Message } from './client.ts'

/** What a topic has seen since the relay was made. */
export interface TopicCounts {
  /** Messages taken from clients that may write. */
  received: number
  /** Copies handed to a client's socket, and the frames they were joined into. */
  sent: number
  frames: number
  /** Copies lost because a client did not read fast enough, or left. */
  dropped: number
}

/** Who is on which topic. */
export class Hub {
  readonly #topics = new Map<string, { clients: Set<Client>; counts: TopicCounts }>()

  counts(topic: string): TopicCounts {
    return this.#topic(topic).counts
  }

  /** The clients of one topic, or of all. */
  clients(topic?: string): Client[] {
    const topics = topic === undefined ? [...this.#topics.values()] : [this.#topic(topic)]
    return topics.flatMap(({ clients }) => [...clients])
  }

  join(client: Client): void {
    this.#topic(client.rights.topic).clients.add(client)
  }

  leave(client: Client): void {
    this.#topic(client.rights.topic).clients.delete(client)
  }

  /** Gives a message to every client of a topic but its sender. */
  fanOut(topic: string, message: Message, sender?: Client): void {
    const { clients, counts } = this.#topic(topic)
    counts.received += 1
    for (const client of clients) {
      if (client !== sender) client.deliver(message)
    }
  }

  #topic(name: string): { clients: Set<Client>; counts: TopicCounts } {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { clients: new Set(), counts: { received: 0, sent: 0, frames: 0, dropped: 0 } }
      this.#topics.set(name, topic)
    }
    return topic
  }
}
