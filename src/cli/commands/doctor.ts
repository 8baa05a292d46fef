import { type Command, jsonOption, relayOptions } from '../command.ts'
import { examine, type Finding } from '../examine.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks config, credentials, clock, disk and reachability, and says what to do',
  operandCount: { min: 0, max: 0 },
  description: [
    'Checks what a recorder needs, one thing after the other: that the config is valid, that each credential pair is good and how long its token lasts, that the clock is synchronised, that the data folder can be written and has room, that the comparison graphs of [primary] comp_path can be used, and that each stream can be heard. Where an Understudy runs on the data folder it is asked what it hears; otherwise this one connects for a few seconds. Each problem comes with what to do about it.'
  ],
  options: { ...relayOptions, ...jsonOption },
  exits: { 1: 'Something has to be put right.' },
  examples: [['doctor', 'Before the first `understudy run`, and whenever something is wrong.']],
  async run(call) {
    const findings: Finding[] = []
    const json = call.options.has('json')
    for await (const finding of examine(call)) {
      findings.push(finding)
      if (!json) await call.terminal.out(findingText(finding))
    }
    if (json) await call.terminal.out(`${JSON.stringify(findings)}\n`)
    return findings.some(({ state }) => state === 'error') ? 1 : 0
  }
}

function findingText({ state, what, detail, remedy }: Finding): string {
  return `${state.padEnd(8)}${what}: ${detail}\n${remedy === undefined ? '' : `${' '.repeat(8)}-> ${remedy}\n`}`
}
