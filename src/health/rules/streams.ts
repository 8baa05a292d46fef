import { explain } from '../../errors.ts'
import { dayText, type Rule, when } from '../rule.ts'

const renew = "ask the relay's operator for a new token, and put it into the credentials folder"

/** Whether every stream is heard, and will be. */
export const streamRules: readonly Rule[] = [
  {
    code: 'no-streams',
    look: ({ streams }) =>
      when(streams.length === 0, () => ({
        state: 'failing',
        text: 'there is no stream to record',
        todo: explain('UNDERSTUDY_NO_STREAMS').remedy
      }))
  },
  {
    code: 'stream-unheard',
    look: ({ streams, inTerm, nowMs }, { unheardMs }) =>
      streams
        .filter(({ state, unheardSinceMs = nowMs }) => state === 'unheard' && nowMs - unheardSinceMs >= unheardMs)
        .map(({ stream, cause, code, unheardSinceMs: sinceMs }) => {
          const why = code === undefined ? cause : explain(code).what
          return {
            state: inTerm ? 'failing' : 'note',
            text: why === undefined ? `${stream} is not heard` : `${stream} is not heard: ${why}`,
            todo: code === undefined ? 'check the network, and that the relay runs' : explain(code).remedy,
            stream,
            sinceMs
          }
        }),
    together: (count, { streams }) => {
      const codes = new Set(streams.flatMap(({ state, code }) => (state === 'unheard' ? [code] : [])))
      const [code] = codes
      const why = codes.size === 1 && code !== undefined ? `: ${explain(code).what}` : ''
      return `${count} of ${streams.length} streams are not heard${why}`
    }
  },
  {
    code: 'stream-never-spoke',
    look: ({ streams, inTerm, nowMs, clock }, { neverSpokeMs }) =>
      streams
        .filter(({ state, spoke, addedMs = nowMs }) => state === 'quiet' && !spoke && nowMs - addedMs >= neverSpokeMs)
        .filter(() => clock.source !== 'none')
        .map(({ stream, addedMs: sinceMs }) => ({
          state: inTerm ? 'attention' : 'note',
          text: `no message of ${stream} has ever come since it was added`,
          todo: 'check that its experiment sends its log to this stream, or take its credentials away',
          stream,
          sinceMs
        })),
    together: (count) => `of ${count} streams no message has ever come`
  },
  {
    code: 'token-expired',
    look: ({ streams, inTerm, nowMs, clock }) =>
      streams
        .filter(({ tokenExpiresMs = Number.POSITIVE_INFINITY }) => clock.source !== 'none' && tokenExpiresMs <= nowMs)
        .map(({ stream, tokenExpiresMs: sinceMs }) => ({
          state: inTerm ? 'failing' : 'attention',
          text: `the token of ${stream} has expired`,
          todo: renew,
          stream,
          sinceMs
        })),
    together: (count) => `the tokens of ${count} streams have expired`
  },
  {
    code: 'token-expires',
    look: ({ streams, nowMs, clock }, { tokenMs }) =>
      streams
        .flatMap(({ stream, tokenExpiresMs }) => (tokenExpiresMs === undefined ? [] : [{ stream, tokenExpiresMs }]))
        .filter(({ tokenExpiresMs: atMs }) => clock.source !== 'none' && atMs > nowMs && atMs - nowMs <= tokenMs)
        .map(({ stream, tokenExpiresMs }) => ({
          state: 'attention',
          text: `the token of ${stream} expires on ${dayText(tokenExpiresMs)}`,
          todo: renew,
          stream
        })),
    together: (count) => `the tokens of ${count} streams expire soon`
  },
  {
    code: 'configuration',
    look: ({ problems }) =>
      problems.map(({ code, detail, stream }) => ({
        state: 'attention',
        text: `${explain(code).what}: ${detail}`,
        todo: explain(code).remedy,
        stream
      }))
  }
]
