import type { Command, Option } from './command.ts'

const WIDTH = 80

/** The manual page of one command. */
export function commandHelp(command: Command): string {
  const line = ['understudy', command.name, ...synopsis(command.options), command.operands].filter(Boolean).join(' ')
  const options: Record<string, Option> = { ...command.options, help: { help: 'Show this page.' } }
  return sections({
    NAME: wrap(`understudy ${command.name} - ${command.summary}`, 4),
    SYNOPSIS: wrap(line, 4, 8),
    DESCRIPTION: command.description.map((paragraph) => wrap(paragraph, 4)).join('\n\n'),
    OPTIONS: Object.entries(options)
      .map(([name, option]) => `    --${name}${option.value ? ` ${option.value}` : ''}\n${wrap(option.help, 8)}`)
      .join('\n'),
    'EXIT STATUS': definitions({ 0: 'Done.', 2: 'Called or configured wrongly.', ...command.exits }),
    EXAMPLES: command.examples.map(([example, what]) => `    understudy ${example}\n${wrap(what, 8)}`).join('\n')
  })
}

/** The page of the program as a whole. */
export function programHelp(commands: readonly Command[]): string {
  return sections({
    NAME: '    understudy - keeps every message of the remote labs, and proves it',
    SYNOPSIS: '    understudy COMMAND [OPTION…]\n    understudy COMMAND --help\n    understudy --version',
    COMMANDS: definitions(Object.fromEntries(commands.map(({ name, summary }) => [name, `${summary}.`]))),
    ENVIRONMENT: definitions({
      UNDERSTUDY_CONFIG: 'What --config would name.',
      UNDERSTUDY_DATA: 'What --data would name.',
      UNDERSTUDY_CREDENTIALS: 'What --credentials would name.',
      DATA_PATH: "A folder in the primary's own layout, never the journal. Not used yet.",
      COMP_PATH: 'The folder of the comparison graphs; default: those that Understudy comes with.',
      LOG_URL: 'One more stream, as a websocket URL; named by its last path part.',
      JOURNAL_STREAM: 'Set by systemd: log lines then begin with their priority.'
    })
  })
}

function sections(texts: Readonly<Record<string, string>>): string {
  return `${Object.entries(texts)
    .map(([title, text]) => `${title}\n${text}`)
    .join('\n\n')}\n`
}

function synopsis(options: Readonly<Record<string, Option>>): string[] {
  return Object.entries(options).map(
    ([name, { value, multiple }]) => `[--${name}${value ? ` ${value}` : ''}]${multiple ? '…' : ''}`
  )
}

function definitions(terms: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(terms).map((term) => term.length))
  return Object.entries(terms)
    .map(([term, text]) => `    ${term.padEnd(width)}  ${wrap(text, width + 6).trimStart()}`)
    .join('\n')
}

/** Breaks a text into lines that begin `indent` spaces in, all but the first one `hanging` spaces. */
function wrap(text: string, indent: number, hanging = indent): string {
  const lines: string[] = []
  let line = ' '.repeat(indent)
  // what stands in brackets is not torn apart
  for (const word of text.match(/\[[^\]]*\]\S*|\S+/g) ?? []) {
    if (line.trim() !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = ' '.repeat(hanging)
    }
    line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}
