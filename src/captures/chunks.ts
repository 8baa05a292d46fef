/** What is compressed at a time; longer is only what comes in one piece. */
export const CHUNK_BYTES = 1 << 18
/** 4 MB of them. */
const MOST_SPARE = 16

/** Lends the buffers in which content waits to be compressed. Used again they cost nothing, new ones a fault a page. */
export class Chunks {
  readonly #spare: Buffer[] = []

  /** One with room for so many bytes, whatever is in it. */
  take(bytes: number): Buffer {
    const spare = bytes <= CHUNK_BYTES ? this.#spare.pop() : undefined
    return spare ?? Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes))
  }

  /** Nobody uses it any more. */
  giveBack(chunk: Buffer): void {
    if (chunk.length === CHUNK_BYTES && this.#spare.length < MOST_SPARE) this.#spare.push(chunk)
    else free(chunk)
  }

  /** Frees those that nobody uses. */
  clear(): void {
    for (const chunk of this.#spare.splice(0)) free(chunk)
  }
}

/**
 * Gives back the memory of a buffer that nobody uses any more. Left to the collector, hundreds of them would
 * wait: it hardly sees what is not on its heap.
 */
export function free({ buffer }: Buffer): void {
  // Small ones are cut from a pool that many share.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0)
}
