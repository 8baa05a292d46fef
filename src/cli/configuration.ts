import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import type { Call } from './terminal.ts'

/** The config in force for a call: its flags over the environment over the file. */
export function configOf({ world, options, terminal }: Call): Promise<Config> {
  const flags = { data: options.text('data'), credentials: options.text('credentials') }
  return loadConfig(world, { file: options.text('config'), flags, environment: terminal.env })
}
