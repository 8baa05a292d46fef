import { type ErrorCode, explain } from '../../errors.ts'
import type { DamagedStore } from '../../journal/journal.ts'
import { type Finding, type Rule, when } from '../rule.ts'

/** What gets better by itself, and is told of only when it goes on. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNDERSTUDY_SYNC_UNREACHABLE',
  'UNDERSTUDY_SYNC_CUT',
  'UNDERSTUDY_SYNC_BUSY',
  'UNDERSTUDY_SYNC_FAILED'
])

/** Whether what comes is written, stays whole, is sealed and handed over. */
export const recordRules: readonly Rule[] = [
  {
    code: 'commits-failing',
    look: ({ journal: { failure, open } }) =>
      when(failure !== undefined || !open, () => ({
        state: 'failing',
        text:
          failure === 'disk full'
            ? 'the disk is full: what comes waits in memory'
            : 'the disk cannot be written: what comes waits in memory',
        todo: failure === 'disk full' ? 'make room on the disk' : 'check the disk; where it is a card, exchange it'
      }))
  },
  {
    code: 'commits-slow',
    look: ({ journal: { failure, open, pendingMs } }, { commitMs }) =>
      when(open && failure === undefined && pendingMs > commitMs, () => ({
        state: 'failing',
        text: 'the disk does not answer: what comes waits in memory',
        todo: 'check the disk; where it is a card, exchange it'
      }))
  },
  {
    code: 'data-disk',
    look: ({ journal: { dataDisk } }) =>
      dataDisk?.code === undefined
        ? []
        : [
            {
              state: dataDisk.used ? 'note' : 'attention',
              text: explain(dataDisk.code).what,
              todo: explain(dataDisk.code).remedy
            }
          ]
  },
  {
    code: 'damage',
    look: ({ journal, nowMs }, { damageMs }) =>
      journal.damaged.map((damage): Finding => damageFinding(damage, nowMs, damageMs)),
    together: (count) => `${count} stores of the journal were damaged`
  },
  {
    code: 'capture-late',
    // What ended while the machine was off is made after the start.
    look: ({ captures = [], nowMs, startedMs }, { captureMs }) =>
      captures
        .filter(({ waits, dueSinceMs = nowMs }) => !waits && nowMs - Math.max(dueSinceMs, startedMs) >= captureMs)
        .map(({ capture, dueSinceMs: sinceMs }) => ({
          state: 'attention',
          text: `a window of the capture ${capture} has ended and is not sealed`,
          todo: `see \`understudy captures\` and the log; \`understudy captures run ${capture}\` tries it now`,
          sinceMs
        }))
  },
  {
    code: 'sync-refused',
    look: ({ sync }) =>
      sync?.failure === undefined || passing.has(sync.failure.code)
        ? []
        : [
            {
              state: 'attention',
              text: `nothing is handed over: ${explain(sync.failure.code).what}`,
              todo: explain(sync.failure.code).remedy,
              sinceMs: sync.failure.sinceMs
            }
          ]
  },
  {
    code: 'sync-behind',
    look: ({ sync, nowMs }, { syncMs }) =>
      when(sync?.configured === true && nowMs - (sync.behindSinceMs ?? nowMs) >= syncMs, () => ({
        state: 'attention',
        text: 'the primary has not confirmed what was sealed days ago',
        todo: sync?.failure ? explain(sync.failure.code).remedy : explain('UNDERSTUDY_SYNC_NO_RECEIPT').remedy,
        sinceMs: sync?.behindSinceMs
      }))
  },
  {
    code: 'sync-differs',
    look: ({ sync }) =>
      (sync?.differing ?? []).map((folder) => ({
        state: 'attention',
        text: `what the primary has of ${folder} is not what was sent`,
        todo: explain('UNDERSTUDY_SYNC_DIFFERS').remedy
      })),
    together: (count) => `what the primary has of ${count} folders is not what was sent`
  },
  {
    code: 'primary-silent',
    look: ({ primary }) =>
      when(primary?.available === false, () => ({
        state: 'attention',
        text: primary?.standingIn
          ? 'the primary does not answer; this machine answers in its place'
          : 'the primary does not answer',
        todo: 'check the primary server',
        sinceMs: primary?.sinceMs
      }))
  }
]

/** What was dealt with is told of for a while, and then is a note. */
function damageFinding({ store, foundMs, salvaged, lost }: DamagedStore, nowMs: number, damageMs: number): Finding {
  if (!salvaged) {
    return {
      state: 'failing',
      text: `store ${store} of the journal is damaged, and what can be read of it is not salvaged yet`,
      todo: `make room, then run \`understudy repair ${store}\`; the log says what keeps it`,
      sinceMs: foundMs
    }
  }
  const isRecent = foundMs === undefined || nowMs - foundMs < damageMs
  return {
    state: isRecent ? 'attention' : 'note',
    text:
      lost === 0
        ? `store ${store} of the journal was damaged; all that was in it is salvaged`
        : `store ${store} of the journal was damaged; ${lost} of its records are lost`,
    todo:
      lost === 0
        ? 'watch the disk: where it happens again, exchange it'
        : '`understudy verify` names what is missing; `understudy reconcile` brings back what the primary has of it',
    sinceMs: foundMs
  }
}
