import type { ErrorCode } from '../errors.ts'
import type { Ms, Us } from '../world/time.ts'

/** Why a stream is not heard. `refused` comes with the error's code, `connecting` too once an attempt has failed. */
export type LossCause = 'connecting' | 'refused' | 'disconnected' | 'silent' | 'stopped'

/** Why reading was held: memory is full, because much came at once, or because what came cannot be written. */
export type HoldReason = 'memory full' | 'disk full' | 'disk failed'

/** Why messages may have been dropped unseen. */
export type UncertainReason = 'stalled' | 'overrun' | 'frame too large' | HoldReason

/** What the relay client tells of its streams. Every call is made at the moment it speaks of. */
export interface RelayListener {
  /** A stream is on the roster from now on; it is not heard yet. */
  added(stream: string): void
  /** It is off the roster; comes after `lost`. */
  removed(stream: string): void
  /** The first pong, ping or message of a connection: it is heard from now on. */
  heard(stream: string): void
  /** A later pong or ping. */
  proof(stream: string): void
  /** A frame as it came; a proof too, and after `heard`. The buffer is the listener's to keep. */
  frame(stream: string, payload: Buffer, binary: boolean): void
  /**
   * It is not heard any more, since its last proof. While unheard it may come again, when the cause has changed.
   * @param heardUntilUs where the last proof was read on a tick: the monotonic time until which it was heard at the
   * least, since what a tick reads may have come right after the one before
   */
  lost(stream: string, cause: LossCause, code?: ErrorCode, heardUntilUs?: Us): void
  /**
   * From this monotonic time on it is not certain that nothing was dropped: should this process end before more is told,
   * it stays so. `uncertain` follows, or `undefined` when nothing was, or `lost`.
   */
  doubted(stream: string, fromUs: Us | undefined): void
  /** Between these monotonic times the relay may have dropped messages unseen. */
  uncertain(stream: string, fromUs: Us, toUs: Us, reason: UncertainReason): void
  /**
   * The relay's own time by the `Date` of an answer that has just come: cut off to seconds, and written at some time of
   * the last `tookMs`. `verified`: over TLS that was checked, under a certificate that is valid at that time.
   */
  relayTime(dateMs: Ms, tookMs: Ms, verified: boolean): void
}
