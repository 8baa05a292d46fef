import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/status.ts'
import { expiryWarning } from '../config/token.ts'
import { setupOf } from '../sync/setup.ts'
import type { Account } from './account.ts'
import { dayOf, type Now } from './choose.ts'
import { type Facts, recordable } from './facts.ts'
import type { Taken } from './state.ts'
import type { Wrong } from './wrong.ts'

export interface ReportParts {
  readonly config: Config
  readonly accounts: readonly Account[]
  /** What is wrong with no folder, but here. */
  readonly wrongs: readonly Wrong[]
  readonly facts: Facts
  /** Oldest first. */
  readonly taken: readonly Taken[]
  readonly now: Now
}

const WRITTEN = 'Written '
const IP_ADDRESS = 'IP address:'
const PAGE_ADDRESS = 'Address:'

/** The report for who set the machine up: lines of ASCII that every editor shows. No token and no student's id is in it. */
export function reportText(parts: ReportParts): string {
  const { accounts, wrongs, facts, taken, now } = parts
  const toBePutRight = [...accounts.flatMap((account) => account.wrongs), ...wrongs, ...facts.wrongs].length
  const sections = [
    [
      'UNDERSTUDY: REPORT',
      `${WRITTEN}${timeOf(now.ms)}${now.known ? '' : ', by a clock that is not set yet'}. The machine writes this file; read it, change nothing in it.`
    ],
    [
      'IN SHORT',
      `${count(recordable(facts, now).length, 'stream')} can be recorded.`,
      toBePutRight === 0 ? 'Nothing has to be put right.' : `${count(toBePutRight, 'thing')} to be looked at, below.`
    ],
    toBePutRight > 0 && [
      'TO BE LOOKED AT',
      ...accounts.flatMap((account) => wrongLines(account.directory, account.wrongs)),
      ...wrongLines('This machine', [...wrongs, ...facts.wrongs])
    ],
    ['STREAMS', ...streamLines(parts)],
    ['TAKEN IN', ...takenLines(taken)],
    ['THE PAGE', ...pageLines(parts)],
    ['THIS MACHINE', ...machineLines(facts)],
    ['HANDING OVER TO THE PRIMARY', ...primaryLines(parts)]
  ]
  const text = sections.flatMap((lines) => (lines ? [lines.join('\n')] : [])).join('\n\n')
  return `${text.replace(/[^\x20-\x7e\n]/g, '?')}\n`.replaceAll('\n', '\r\n')
}

/**
 * Whether two reports say the same but for when they were written.
 * @param located false: nor do the machine's addresses count
 */
export function saysTheSame(a: string, b: string, located: boolean): boolean {
  const passing = new RegExp(located ? `^${WRITTEN}` : `^(${WRITTEN}|${IP_ADDRESS}|${PAGE_ADDRESS})`)
  const said = (text: string): string =>
    text
      .split('\n')
      .filter((line) => !passing.test(line))
      .join('\n')
  return said(a) === said(b)
}

function wrongLines(whose: string, wrongs: readonly Wrong[]): string[] {
  if (wrongs.length === 0) return []
  return [
    `${whose}:`,
    ...wrongs.flatMap(({ where, what, remedy, code }) => [
      `- ${where}: ${what}`,
      `  What to do: ${remedy}.`,
      `  (${code})`
    ])
  ]
}

function streamLines({ facts, now }: ReportParts): string[] {
  if (facts.tokens.size === 0)
    return ['None: put the log.access.* and log.token.* files, or the tar, onto the card or a stick.']
  return [...facts.tokens].map(([stream, token]) => {
    const day = dayOf(token.expiresMs)
    const warning = expiryWarning(token, now.ms)
    if (warning === undefined) return `${stream.padEnd(12)} token lasts until ${day}`
    return warning.daysLeft < 0
      ? `${stream.padEnd(12)} TOKEN HAS EXPIRED on ${day}: ask for a new one`
      : `${stream.padEnd(12)} TOKEN EXPIRES SOON, on ${day}: ask for a new one`
  })
}

function takenLines(taken: readonly Taken[]): string[] {
  if (taken.length === 0) return ['Nothing yet.']
  const newestFirst = taken.toSorted((a, b) => b.atMs - a.atMs)
  return newestFirst.map(({ atMs, guessed, from, what }) => {
    return `${timeOf(atMs)}${guessed ? ' (clock not set)' : ''}  ${from}: ${what}`
  })
}

function pageLines({ config, facts }: ReportParts): string[] {
  const { address, port } = config.status
  if (port === 0) return ['There is none ([status] port = 0).']
  const end = port === 80 ? '/' : `:${port}/`
  const names = isLoopback(address)
    ? ['localhost']
    : [
        `${facts.hostName}.local`,
        ...facts.addresses.map((one) => (one.address.includes(':') ? `[${one.address}]` : one.address))
      ]
  return [
    ...names.map((name) => `${PAGE_ADDRESS}  http://${name}${end}`),
    `Password: ${facts.password ?? 'the one that you have set; it is kept as a hash only'}`
  ]
}

function machineLines({ hostName, addresses, macs }: Facts): string[] {
  const none = 'none yet: it has no network, or had none when this was written'
  return [
    `Name:                   ${hostName}`,
    ...(addresses.length > 0 ? addresses : [{ interface: '', address: none }]).map(
      (one) => `${IP_ADDRESS}             ${one.interface && `${one.interface}  `}${one.address}`
    ),
    ...macs.map((one) => `Hardware address (MAC): ${one.interface}  ${one.address}`)
  ]
}

function primaryLines({ config, facts }: ReportParts): string[] {
  const { target } = config.sync
  if (facts.keys === undefined) return ['There are no keys yet; see above.']
  const { upload, receipts } = facts.keys
  if (target === undefined) {
    return [
      'No primary is named ([sync] target). Once it is, the lines for its authorized_keys stand here. The public keys:',
      upload,
      receipts
    ]
  }
  return [
    `To ${target.user}@${target.host}:${target.directory}. Its technician puts these lines into ${target.user}'s authorized_keys there:`,
    ...setupOf(config.site, target, facts.keys).authorizedKeys
  ]
}

/** `2026-11-21 09:30 UTC` */
function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
