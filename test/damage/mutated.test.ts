import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { loadCommands } from '../../src/cli/program.ts'
import { directory, openJournal, texts, told } from '../../src/journal/fixtures.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { credentialFiles } from '../../src/sim/relay/credentials.ts'
import type { Machine } from '../../src/sim/world/machine.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { Files } from '../../src/world/files.ts'
import { repeats } from '../support/scale.ts'
import { Running } from '../support/shell.ts'

const paths = journalPaths(directory)
const stream = 'spin30'
const CONFIG = '/etc/understudy.toml'
const CREDENTIALS = '/etc/practable'
/** As the recorder leaves it. */
const RESERVE_BYTES = 32 << 20
/** More than any config may keep free. */
const DISK_BYTES = 1e15

const config = `site = "lab-7" # where it stands
[streams]
credentials = "${CREDENTIALS}"
only = ["spin*", "pvna02"]
sockets = ["ws://127.0.0.1:8888/ws/pvna02"]
[relay]
read_interval = "480ms"
ping_interval = "10s"
silence_timeout = "30s"
live = ["pvna*"]
[journal]
commit_interval = "500ms"
store_size = "256MB"
store_age = "7d"
min_free = "500MB"
max_size = "40GB"
memory = "64MB"
[clock]
trust = true
[data]
directory = "${directory}"
[log]
level = "error"
`

// Loading code takes real time, which does not pass in a simulation.
beforeAll(() => loadCommands())

/** Files by their paths. */
type Contents = Map<string, Buffer>

interface Recorded {
  readonly files: Contents
  readonly frames: readonly string[]
  readonly nextPosition: number
}

/** A Pi as it was set up, with a journal of several stores. */
async function record({ world }: Machine): Promise<Recorded> {
  const { clock, files } = world
  const frames: string[] = []
  const journal = await openJournal(world, { storeBytes: 400 })
  for (let number = 1; number <= 9; number++) {
    frames.push(`frame ${number}`)
    journal.append(told(stream, `frame ${number}`))
    await journal.commit()
  }
  await journal.merged()
  await journal.close()
  const order = { secret: 'of the relay', audience: 'http://relay.example', nowMs: clock.wallUs() / 1000 }
  const { accessUrl, token } = credentialFiles(stream, order)
  const written: Contents = new Map([
    [CONFIG, Buffer.from(config)],
    [`${CREDENTIALS}/log.access.${stream}`, Buffer.from(accessUrl)],
    [`${CREDENTIALS}/log.token.${stream}`, Buffer.from(token)]
  ])
  for (const [path, content] of await filesIn(files, directory)) written.set(path, content)
  return { files: written, frames, nextPosition: journal.nextPosition }
}

async function filesIn(files: Files, folder: string, found: Contents = new Map()): Promise<Contents> {
  for (const { name, kind } of await files.list(folder)) {
    if (kind === 'directory') await filesIn(files, `${folder}/${name}`, found)
    else found.set(`${folder}/${name}`, await files.readFile(`${folder}/${name}`))
  }
  return found
}

const changes = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.nat(255),
    fc.constantFrom('set', 'insert', 'remove', 'cut', 'zero', 'repeat')
  ),
  { maxLength: 3 }
)

/** @param changes where, as a part of the whole; a byte; what happens there */
function mutate(content: Buffer, changes: ReadonlyArray<readonly [number, number, string]>): Buffer {
  let mutated = Buffer.from(content)
  for (const [where, byte, how] of changes) {
    const at = Math.floor(where * mutated.length)
    const before = mutated.subarray(0, at)
    if (how === 'set') mutated[at] = byte
    else if (how === 'zero') mutated.fill(0, at, Math.min(at + 8 * byte, mutated.length))
    else if (how === 'cut') mutated = before
    else if (how === 'insert') mutated = Buffer.concat([before, Buffer.of(byte), mutated.subarray(at)])
    else if (how === 'remove') mutated = Buffer.concat([before, mutated.subarray(at + 1)])
    else mutated = Buffer.concat([before, mutated.subarray(Math.max(0, at - byte))])
    if (mutated.length === 0) return mutated
  }
  return mutated
}

/** Starts the recorder on these files, in simulated time, and stops it again. Gives whether it ran. */
async function starts(recorded: Recorded, mutated: Contents): Promise<boolean> {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi', { diskBytes: DISK_BYTES })
  const { files } = pi.world
  for (const [path, content] of mutated) {
    await files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    await files.writeFile(path, content)
  }
  // Writing it anew each time would be most of the work.
  const reserve = await files.open(paths.reserve, 'create')
  await reserve.write(Buffer.of(0), RESERVE_BYTES - 1)
  await reserve.close()
  const recorder = new Running(pi, `run --config ${CONFIG}`)
  let ended = false
  void recorder.result.then(() => {
    ended = true
  })
  await simulation.run(2000)
  const ran = !ended
  recorder.stop()
  const { code, err } = await simulation.complete(recorder.result)
  expect(err).toMatch(ran ? /^$/ : /^understudy: UNDERSTUDY_(?!INTERNAL)[A-Z_]+: [^{]*\n$/)
  if (ran) expect(code).toBe(0)
  else expect([1, 2, 3]).toContain(code)
  if (!ran) await expectUntouched(files, mutated)
  await simulation.complete(expectKept(pi, recorded))
  return ran
}

/** Whoever puts the file right has everything. */
async function expectUntouched(files: Files, mutated: Contents): Promise<void> {
  for (const [path, content] of mutated) {
    if (path.startsWith(paths.stores)) expect(await files.readFile(path), path).toEqual(content)
  }
}

/** With a config that is right, everything is there, and what comes has a place of its own. */
async function expectKept(pi: Machine, { frames, nextPosition }: Recorded): Promise<void> {
  const journal = await openJournal(pi.start())
  const appended = journal.append(told(stream, 'and one more'))
  expect(appended.position).toBeGreaterThanOrEqual(nextPosition)
  expect(appended.seq).toBeGreaterThan(frames.length)
  await journal.commit()
  await journal.repaired()
  expect(await texts(journal.range({}))).toEqual([...frames, 'and one more'])
  await journal.close()
}

const kinds: Readonly<Record<string, readonly string[]>> = {
  'the config': [CONFIG],
  'credential files': [`${CREDENTIALS}/log.access.${stream}`, `${CREDENTIALS}/log.token.${stream}`],
  'catalogue and head': [paths.catalogue, paths.head]
}

test('mutated files: each a clean start or one clear error, never a lost store', { timeout: 1_200_000 }, async () => {
  const simulation = new Simulation(1)
  const recorded = await simulation.complete(record(simulation.machine('pi')))
  const counts = new Map(Object.keys(kinds).map((kind) => [kind, { clean: 0, refused: 0 }]))
  const mutation = fc.tuple(fc.constantFrom(...Object.keys(kinds)), changes, changes)
  await fc.assert(
    fc.asyncProperty(mutation, async ([kind, ...both]) => {
      const mutated = new Map(recorded.files)
      for (const [index, path] of kinds[kind]!.entries()) {
        mutated.set(path, mutate(mutated.get(path)!, both[index]!))
      }
      counts.get(kind)![(await starts(recorded, mutated)) ? 'clean' : 'refused']++
    }),
    { numRuns: repeats(10_000) }
  )
  console.log([...counts].map(([kind, { clean, refused }]) => `${kind}: ${clean} clean, ${refused} refused`).join('; '))
  expect(counts.get('the config')).not.toMatchObject({ clean: 0 })
})
