/** A relay to test with, simulated or real. */
export interface RelayPeer {
  /** Where codes are asked for, without a slash at the end; also the audience of its tokens. */
  readonly accessUrl: string
  /** Where its websockets are, without a slash at the end. */
  readonly relayUrl: string
  /** What its tokens are signed with. */
  readonly secret: string
  /** Starts it, on the same ports as before if it was started before. Resolves when it answers. */
  start(): Promise<void>
  /** Ends it at once; every connection drops. Codes given out and denials are forgotten. */
  stop(): Promise<void>
}
