import { defaultLimits, type Limits } from './limits.ts'
import type { Report } from './report.ts'
import type { Rule } from './rule.ts'
import { diskRules } from './rules/disk.ts'
import { machineRules } from './rules/machine.ts'
import { recordRules } from './rules/record.ts'
import { streamRules } from './rules/streams.ts'
import type { Reason, Verdict, VerdictState } from './verdict.ts'

/** All of them, in the order in which their findings are told. */
export const rules: readonly Rule[] = [...recordRules, ...streamRules, ...diskRules, ...machineRules]

const ranks: readonly Reason['state'][] = ['failing', 'attention', 'note']

/** The one place where it is decided how it stands: page, command line, metrics and notifications say what this says. */
export function judge(report: Report, limits: Limits = defaultLimits): Verdict {
  const found = rules.flatMap(({ code, look }) => look(report, limits).map((finding) => ({ code, ...finding })))
  const reasons = ranks.flatMap((rank) => found.filter(({ state }) => state === rank))
  const worst = reasons[0]?.state ?? 'note'
  const state: VerdictState = worst === 'note' ? 'ok' : worst
  return { state, sentence: sentenceOf(state, reasons, report), reasons }
}

function sentenceOf(state: VerdictState, reasons: readonly Reason[], report: Report): string {
  if (state === 'ok') return okText(report)
  const worst = reasons.filter((reason) => reason.state === state)
  const first = worst.filter(({ code }) => code === worst[0]!.code)
  const together = rules.find(({ code }) => code === first[0]!.code)?.together
  const text = first.length > 1 && together ? together(first.length, report) : first[0]!.text
  const others = worst.length - (first.length > 1 && together ? first.length : 1)
  const rest = others === 0 ? '' : `, and ${others} more`
  return state === 'failing'
    ? `Not everything is being kept: ${text}${rest}.`
    : `Everything is being kept, but somebody should look: ${text}${rest}.`
}

function okText({ streams, inTerm }: Report): string {
  const heard = streams.filter(({ state }) => state !== 'unheard').length
  const what = heard === streams.length ? 'Everything' : 'Everything that is heard'
  const count = `${heard} of ${streams.length} ${streams.length === 1 ? 'stream is' : 'streams are'} heard`
  return `${what} is being kept: ${count}${inTerm ? '' : ', and the labs are not in use'}.`
}
