import { loadModels } from '../analytics/models.ts'
import type { Config } from '../config/config.ts'
import type { Found } from '../config/credentials.ts'
import { Discovery } from '../config/discovery.ts'
import { expiryWarning, mayWrite } from '../config/token.ts'
import { type ErrorCode, explain, systemCode, UnderstudyError } from '../errors.ts'
import { isMounted } from '../journal/disks.ts'
import type { TimeSource } from '../journal/entry.ts'
import { earliestMs } from '../journal/known-time.ts'
import type { Log } from '../log.ts'
import type { RelayListener } from '../relay/listener.ts'
import { Roster } from '../relay/roster.ts'
import { sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { readCa } from './appliance.ts'
import { configOf } from './configuration.ts'
import type { LocalClient } from './local/client.ts'
import { connectRunning } from './local/open.ts'
import type { Call } from './terminal.ts'
import { countText, plural } from './text.ts'

/** What one check found. */
export interface Finding {
  readonly state: 'ok' | 'warning' | 'error'
  /** What was checked. */
  readonly what: string
  readonly detail: string
  /** What the operator can do. */
  readonly remedy?: string
}

/** Below this there is no room for a week. */
const LOW_BYTES = 1e9
const PROBE_MS = 10_000

/** Checks everything that a recorder needs, one thing after the other. */
export async function* examine(call: Call): AsyncGenerator<Finding> {
  const { world } = call
  let config: Config
  try {
    config = await configOf(call)
  } catch (error) {
    yield problem('config', error)
    return
  }
  yield { state: 'ok', what: 'config', detail: `valid; the data folder is ${config.data.directory}` }
  yield* await trust(world, config)
  const found = await new Discovery(world, config, silent).read()
  const running = await connectRunning(world, config.data.directory).catch(() => undefined)
  // A recorder may know the time where the system's clock does not.
  const status = await running?.status()
  yield* credentials(found, (status?.nowUs ?? world.clock.wallUs()) / 1000)
  yield* standsIn(found, config)
  yield await clock(world, config, status?.health?.clock.source)
  yield await disk(world, config.data.directory, running !== undefined)
  if (config.data.disk !== undefined) yield await dataDisk(world, config.data.disk, running)
  if (config.primary.compPath !== undefined) yield* await graphs(world, config.primary.compPath)
  yield* running === undefined ? probe(world, config, found) : told(running)
}

/** `run` does not start without the certificates that it was told to trust. */
async function trust(world: World, { network }: Config): Promise<Finding[]> {
  try {
    await readCa(world, network.caFile)
    return []
  } catch (error) {
    return [problem('certificates', error)]
  }
}

function* credentials({ sources, problems, tokens }: Found, nowMs: number): Generator<Finding> {
  if (sources.length === 0) yield problem('streams', new UnderstudyError('UNDERSTUDY_NO_STREAMS'))
  else yield { state: 'ok', what: 'streams', detail: `${plural(sources.length, 'stream')} to record` }
  for (const { severity, stream, code, detail } of problems) {
    yield { state: severity, what: stream ?? 'credentials', detail: `${code}: ${detail}`, remedy: explain(code).remedy }
  }
  for (const [stream, token] of tokens) {
    const warning = expiryWarning(token, nowMs)
    if (warning === undefined) continue
    const { daysLeft } = warning
    yield {
      state: daysLeft < 0 ? 'error' : 'warning',
      what: stream,
      detail: daysLeft < 0 ? 'the token has expired' : `the token expires in ${plural(daysLeft, 'day')}`,
      remedy: explain('UNDERSTUDY_RELAY_TOKEN_EXPIRED').remedy
    }
  }
}

/** Who is to answer in the primary's place has to be allowed to. */
function* standsIn({ tokens }: Found, { standby }: Config): Generator<Finding> {
  if (standby.mode === 'observe') return
  const { what, remedy } = explain('UNDERSTUDY_STANDBY_READ_ONLY')
  for (const [stream, token] of tokens) {
    if (!mayWrite(token)) yield { state: 'warning', what: stream, detail: what, remedy }
  }
}

async function clock(world: World, config: Config, source: TimeSource | undefined): Promise<Finding> {
  if (await world.clock.synchronised()) return { state: 'ok', what: 'clock', detail: 'synchronised' }
  if (config.clock.trust) return { state: 'ok', what: 'clock', detail: 'trusted, as the config says' }
  if (source === 'relay')
    return { state: 'ok', what: 'clock', detail: "not synchronised; the relay's answers say the time" }
  const remedy = 'start a time service (systemd-timesyncd), or set [clock] trust = true where the clock is right'
  return { state: 'warning', what: 'clock', detail: 'not synchronised', remedy }
}

async function disk({ files, random }: World, directory: string, running: boolean): Promise<Finding> {
  const trial = `${directory}/trial-${random.bytes(6).toString('hex')}`
  try {
    await files.makeDirectory(directory, 0o750)
    if (!running) await files.writeFile(trial, 'trial')
    const { freeBytes } = await files.space(directory)
    const detail = `${countText(Math.floor(freeBytes / 1e6))} MB free`
    if (freeBytes >= LOW_BYTES) return { state: 'ok', what: 'disk', detail }
    return { state: 'warning', what: 'disk', detail, remedy: 'make room, or name a larger disk with --data' }
  } catch (error) {
    const remedy = 'check the permissions of the folder and the state of the disk'
    return { state: 'error', what: 'disk', detail: `${directory}: ${systemCode(error) ?? 'not writable'}`, remedy }
  } finally {
    await files.remove(trial).catch(() => {})
  }
}

/** Of another folder than the one that Understudy comes with. */
async function graphs({ files }: World, directory: string): Promise<Finding[]> {
  const what = 'comparison graphs'
  const models = await loadModels(files, directory)
  const bad = models.problems.map(({ file, code, detail }): Finding => {
    return { state: 'error', what, detail: `${code}: ${file}: ${detail}`, remedy: explain(code).remedy }
  })
  return [{ state: 'ok', what, detail: `${plural(models.list().length, 'graph')} in ${directory}` }, ...bad]
}

async function dataDisk({ files }: World, mount: string, running: LocalClient | undefined): Promise<Finding> {
  const what = 'data disk'
  const { code, detail = '', used = true } = (await running?.status())?.journal.disk ?? {}
  if (code !== undefined)
    return { ...problem(what, new UnderstudyError(code, detail)), state: used ? 'warning' : 'error' }
  if (!(await isMounted(files, mount))) return problem(what, new UnderstudyError('UNDERSTUDY_DISK_AWAY', mount))
  if (!used) return problem(what, new UnderstudyError('UNDERSTUDY_DISK_AWAY', `${mount} is back, and not in use yet`))
  const { freeBytes } = await files.space(mount)
  return { state: 'ok', what, detail: `${mount}, ${countText(Math.floor(freeBytes / 1e6))} MB free` }
}

/** What a running recorder hears. */
async function* told(running: LocalClient): AsyncGenerator<Finding> {
  for (const { stream, heard, cause, code } of (await running.status()).streams) {
    yield reached(stream, heard, code as ErrorCode | undefined, cause)
  }
}

/** Connects to all streams until each is heard or refused, for a while at most. */
async function* probe(world: World, config: Config, { sources }: Found): AsyncGenerator<Finding> {
  const answers = new Map<string, ErrorCode | 'heard'>()
  const all = new AbortController()
  const answer = (stream: string, what: ErrorCode | 'heard'): void => {
    answers.set(stream, what)
    if (answers.size === sources.length) all.abort()
  }
  const ignored = (): void => {}
  const listener: RelayListener = {
    added: ignored,
    removed: ignored,
    heard: (stream) => answer(stream, 'heard'),
    proof: ignored,
    frame: ignored,
    lost: (stream, _cause, code) => code && answer(stream, code),
    doubted: ignored,
    uncertain: ignored,
    relayTime: ignored
  }
  const { proxy, caFile } = config.network
  const ca = await readCa(world, caFile).catch(() => undefined)
  const timeUnknown = !config.clock.trust && !(await world.clock.synchronised())
  const { readIntervalMs, pingIntervalMs, silenceTimeoutMs: silenceMs } = config.relay
  const options = {
    readIntervalMs,
    pingIntervalMs,
    silenceMs,
    ...(proxy !== undefined && { proxy }),
    ...(ca !== undefined && { ca }),
    unknownSinceMs: () => (timeUnknown ? earliestMs() : undefined)
  }
  const roster = new Roster(world, options, listener, silent)
  roster.set(sources)
  roster.start()
  await sleep(world.timers, PROBE_MS, all.signal)
  await roster.stop()
  for (const { stream } of sources) {
    const what = answers.get(stream)
    yield reached(stream, what === 'heard', what === 'heard' ? undefined : what)
  }
}

function reached(stream: string, heard: boolean, code: ErrorCode | undefined, cause = 'no answer yet'): Finding {
  if (heard) return { state: 'ok', what: stream, detail: 'heard' }
  if (code === undefined) return { state: 'error', what: stream, detail: cause, remedy: 'check the network' }
  const { what, remedy } = explain(code)
  return { state: 'error', what: stream, detail: `${code}: ${what}`, remedy }
}

function problem(what: string, error: unknown): Finding {
  if (!(error instanceof UnderstudyError)) throw error
  const { code, detail, remedy } = error
  return { state: 'error', what, detail: `${code}: ${detail || explain(code).what}`, remedy }
}

const nothing = (): void => {}
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
