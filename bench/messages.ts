import { messages } from '../src/sim/students/generate.ts'

/** Names of streams like those of a lab. */
export { spinners } from '../src/sim/students/generate.ts'

/** What simulated students send, the streams in turn: which stream, and the message as it goes over the wire. */
export function* inTurn(options: {
  seed: number
  streams: readonly string[]
  count: number
}): Generator<[stream: number, payload: Buffer]> {
  const { seed, streams, count } = options
  const each = streams.map((stream) => messages({ seed, streams: [stream], count: Math.ceil(count / streams.length) }))
  for (let sent = 0; sent < count; sent++) {
    const stream = sent % streams.length
    yield [stream, Buffer.from(each[stream]!.next().value!.text)]
  }
}
