import { expect, test } from 'vitest'
import { commandHelp, programHelp } from './help.ts'
import { loadCommands } from './program.ts'

const commands = await loadCommands()

test.each(commands)('the page of $name tells of everything', (command) => {
  const page = commandHelp(command)
  for (const title of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS', 'EXAMPLES']) {
    expect(page).toMatch(new RegExp(`^${title}$`, 'm'))
  }
  for (const [name, { value }] of Object.entries(command.options)) {
    expect(page).toMatch(new RegExp(`^    --${name}${value === undefined ? '' : ` ${value}`}$`, 'm'))
    expect(page.replaceAll(/\s+/g, ' ')).toContain(`[--${name}`)
  }
  for (const code of Object.keys(command.exits)) expect(page).toMatch(new RegExp(`^    ${code} `, 'm'))
  expect(command.examples.length).toBeGreaterThan(0)
  for (const [line] of command.examples) expect(line.startsWith(command.name)).toBe(true)
})

test.each(commands)('the page of $name fits a terminal', (command) => {
  for (const line of commandHelp(command).split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

test('the page of the program names every command', () => {
  const page = programHelp(commands)
  for (const { name, summary } of commands) {
    expect(page).toContain(`    ${name} `)
    expect(page.replaceAll(/\s+/g, ' ')).toContain(summary)
  }
})
