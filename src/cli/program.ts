import { systemCode, UnderstudyError } from '../errors.ts'
import type { World } from '../world/world.ts'
import { readArguments } from './arguments.ts'
import { type Command, usage } from './command.ts'
import { commandHelp, programHelp } from './help.ts'
import { describeError } from './logger.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Each is loaded when it is called, since a recorder has to be small. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  demo: async () => (await import('./commands/demo.ts')).demo,
  capture: async () => (await import('./commands/capture.ts')).capture,
  captures: async () => (await import('./commands/captures.ts')).captures,
  status: async () => (await import('./commands/status.ts')).status,
  coverage: async () => (await import('./commands/coverage.ts')).coverage,
  verify: async () => (await import('./commands/verify.ts')).verify,
  repair: async () => (await import('./commands/repair.ts')).repair,
  sync: async () => (await import('./commands/sync.ts')).sync,
  disk: async () => (await import('./commands/disk.ts')).disk,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  reconcile: async () => (await import('./commands/reconcile.ts')).reconcileCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  students: async () => (await import('./commands/students.ts')).students,
  graph: async () => (await import('./commands/graph.ts')).graph,
  graphs: async () => (await import('./commands/graphs.ts')).graphs,
  provision: async () => (await import('./commands/provision.ts')).provision,
  doctor: async () => (await import('./commands/doctor.ts')).doctor
}

/** Every command there is. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(Object.values(commands).map((load) => load()))
}

/** Runs one command line; gives its exit code. Never rejects. */
export async function program(args: readonly string[], world: World, terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, world, terminal)
  } catch (error) {
    if (terminal.stop.aborted) return 130
    if (systemCode(error) === 'EPIPE') return 1
    const { text, exitCode } = explanation(error)
    terminal.err(`understudy: ${text}\n`)
    return exitCode
  }
}

async function dispatch(args: readonly string[], world: World, terminal: Terminal): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    await terminal.out(programHelp(await loadCommands()))
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    await terminal.out(`${version}\n`)
    return 0
  }
  if (!Object.hasOwn(commands, name)) usage('there is no such command')
  const command = await commands[name]!()
  const call = readArguments(command, rest)
  if (call.options.has('help')) {
    await terminal.out(commandHelp(command))
    return 0
  }
  return command.run({ world, terminal, ...call })
}

function explanation(error: unknown): { text: string; exitCode: number } {
  if (error instanceof UnderstudyError) return { text: `${error.code}: ${error.message}`, exitCode: error.exitCode }
  // the system's own words: which file, and why not
  if (systemCode(error)?.startsWith('E')) return { text: (error as Error).message, exitCode: 1 }
  const { code, message, exitCode } = new UnderstudyError('UNDERSTUDY_INTERNAL')
  return { text: `${code}: ${message}\n${JSON.stringify(describeError(error))}`, exitCode }
}
