import { beforeEach, describe, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import { credentialFiles } from '../sim/relay/credentials.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { loadCommands } from './program.ts'
import { SimulatedLab } from './simulated-lab.ts'

// loading code takes real time, which does not pass in a simulation
await loadCommands()

const CREDENTIALS = '/credentials'

let simulation: Simulation
let machine: Machine

beforeEach(() => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
})

/** Runs a command to its end. */
function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(machine, line).result, 600_000)
}

async function lines(world: World, path: string): Promise<string[]> {
  const text = (await simulation.complete(world.files.readFile(path))).toString()
  return text.split('\n').slice(0, -1)
}

test('a demo ends by itself, with everything recorded and everything heard', async () => {
  const { code, out, err } = await sh('demo --streams 3 --rate 5 --for 20s')
  expect(err).toBe('')
  expect(out).toMatch(/3 of 3 streams heard/)
  expect(out).toMatch(/^spin31 +100 % /m)
  expect(out).toMatch(/^(\d+) of \1 messages recorded$/m)
  expect(code).toBe(0)
})

test('a demo tells as JSON too', async () => {
  const { code, out } = await sh('demo --streams 2 --rate 5 --for 10s --json')
  const { coverage, recorded, passed } = JSON.parse(out)
  expect(coverage).toMatchObject([{ stream: 'spin30', share: 1 }, { stream: 'spin31' }])
  expect(recorded).toBe(passed)
  expect(code).toBe(0)
})

test('a capture of a stream whose credentials cannot be used says so', async () => {
  const { files } = machine.world
  await simulation.complete(files.makeDirectory(CREDENTIALS))
  await simulation.complete(files.writeFile(`${CREDENTIALS}/log.access.spin30`, 'https://relay/session/spin30-log'))
  await simulation.complete(files.writeFile(`${CREDENTIALS}/log.token.spin30`, 'rubbish'))
  const where = `--data /data --credentials ${CREDENTIALS}`
  const alone = await sh(`capture spin30 /captured 5 ${where}`)
  expect(alone).toMatchObject({ code: 2, err: expect.stringContaining('UNDERSTUDY_TOKEN_INVALID') })
  const running = new Running(machine, `run ${where}`)
  await simulation.run(5000)
  expect((await sh(`capture spin30 /captured 5 ${where}`)).err).toContain('UNDERSTUDY_TOKEN_INVALID')
  running.stop()
  await simulation.complete(running.result)
})

test('a demo that is told to stop prints the same', async () => {
  const demo = new Running(machine, 'demo --streams 2 --data /data')
  await simulation.run(60_000)
  demo.stop()
  const { code, out } = await simulation.complete(demo.result)
  expect(out).toMatch(/^(\d+) of \1 messages? recorded$/m)
  expect(code).toBe(0)
})

test.each([
  '',
  'nonsense',
  'export',
  'capture spin30',
  'coverage --colour',
  'import --stream spin30 x',
  'demo --for 5',
  'verify --since 1.5',
  'repair 1.5'
])('"%s" is wrong usage', async (line) => {
  expect((await sh(line)).code).toBe(2)
})

test('help and version go to standard output', async () => {
  expect(await sh('--help')).toMatchObject({ code: 0, err: '' })
  expect(await sh('run --help')).toMatchObject({ code: 0, err: '' })
  expect((await sh('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each(['verify', 'coverage', 'export --out /out'])('%s without a journal says so', async (line) => {
  const { code, err } = await sh(`${line} --data /data`)
  expect(err).toMatch(/UNDERSTUDY_NO_JOURNAL/)
  expect(code).toBe(2)
})

describe('beside a simulated lab', () => {
  const place = `--data /data --credentials ${CREDENTIALS}`
  let lab: SimulatedLab

  beforeEach(async () => {
    const world = machine.start()
    lab = new SimulatedLab(world, { streams: 3, rateHz: 5 })
    await simulation.complete(lab.open(world, CREDENTIALS))
  })

  /** Records for a while; gives the recorder while it runs. */
  async function recording(ms = 10_000, options = ''): Promise<Running> {
    const recorder = new Running(machine, `run ${place}${options}`)
    await simulation.run(2000)
    await simulation.complete(lab.begin())
    await simulation.run(ms)
    return recorder
  }

  async function stopped(recorder: Running): Promise<Ran> {
    recorder.stop()
    return simulation.complete(recorder.result, 5000)
  }

  test('where it is to answer in the place of the primary, doctor tells of tokens that do not allow it', async () => {
    const order = { secret: 'any', audience: 'http://127.0.0.1', nowMs: machine.world.clock.wallUs() / 1000 }
    const { tokenFile } = credentialFiles('spin31', { ...order, scopes: ['read'] })
    const { files } = machine.world
    await simulation.complete(files.writeFile(`${CREDENTIALS}/${tokenFile.name}`, tokenFile.content))
    await simulation.complete(files.writeFile('/config.toml', '[standby]\nmode = "answer"\n'))
    const { out } = await sh(`doctor ${place} --config /config.toml`)
    expect(out.match(/^warning +spin\d+: the token does not allow sending/gm)).toEqual([
      expect.stringContaining('spin31')
    ])
    expect((await sh(`doctor ${place}`)).out).not.toContain('sending')
  })

  test('status says how the primary answers', async () => {
    const recorder = await recording(60_000)
    expect((await sh('status --data /data')).out).toMatch(/^spin30 +heard .* silent, 0 of [1-9]\d* replies$/m)
    expect(await stopped(recorder)).toMatchObject({ code: 0 })
  })

  test('every command answers while it records', async () => {
    const recorder = await recording()
    expect((await sh('status --data /data')).out).toMatch(/^spin30 +heard /m)
    expect(JSON.parse((await sh('status --data /data --json')).out).streams).toHaveLength(3)
    expect((await sh('coverage spin31 --data /data')).out).toMatch(/^spin31 /m)
    expect((await sh('verify --data /data')).out).toMatch(/^sound: 1 store/)
    expect(await sh('export --data /data --out /out --stream spin30')).toMatchObject({ code: 0 })
    expect((await lines(machine.world, '/out/spin30.jsonl')).length).toBeGreaterThan(40)
    expect(await sh(`doctor ${place}`)).toMatchObject({ code: 0 })
    expect(await sh(`run ${place}`)).toMatchObject({ code: 3 })
    expect(await stopped(recorder)).toMatchObject({ code: 0, err: '' })
  })

  test('a damaged store is repaired, beside a recorder and without one', async () => {
    await stopped(await recording())
    const { files } = machine.start()
    const before = (await sh('export --data /data --out -')).out
    await simulation.complete(files.remove('/data/stores/000001/CURRENT'))
    expect(await sh('repair --data /data')).toMatchObject({ code: 0, out: '1 examined, 1 salvaged\nsalvaged: 1\n' })
    expect((await sh('export --data /data --out -')).out).toBe(before)
    await simulation.complete(files.remove('/data/stores/000002/CURRENT'))
    const recorder = await recording()
    expect(await sh('repair 2 --data /data --json')).toMatchObject({ code: 0 })
    expect(await sh('repair 99 --data /data')).toMatchObject({ code: 2, err: expect.stringMatching('UNKNOWN_STORE') })
    await stopped(recorder)
  })

  test('the same commands read a snapshot afterwards, and leave the folder as it is', async () => {
    const recorder = await recording()
    lab.leave()
    await simulation.run(2000)
    await sh('export --data /data --out /live')
    await stopped(recorder)
    const { files } = machine.start()
    const before = await simulation.complete(files.list('/data'))
    expect(await sh('verify --data /data')).toMatchObject({ code: 0 })
    expect(await sh('coverage --data /data')).toMatchObject({ code: 0 })
    expect(await sh('export --data /data --out /after')).toMatchObject({ code: 0 })
    expect(await lines(machine.world, '/after/spin30.jsonl')).toEqual(await lines(machine.world, '/live/spin30.jsonl'))
    expect(await simulation.complete(files.list('/data'))).toEqual(before)
    expect(await sh('status --data /data')).toMatchObject({ code: 4 })
  })

  test('an import into a running recorder and into a folder of its own, twice, changes nothing the second time', async () => {
    const recorder = await recording()
    await sh('export --data /data --out /out')
    const counts = async (line: string): Promise<Array<Record<string, number>>> =>
      (await sh(line)).out
        .trimEnd()
        .split('\n')
        .map((one) => JSON.parse(one))
    const files = '/out/spin30.jsonl /out/spin31.jsonl'
    for (const one of await counts(`import --json --data /data ${files}`))
      expect(one).toMatchObject({ appended: 0, bad: 0 })
    for (const one of await counts(`import --json --data /other ${files}`))
      expect(one).toMatchObject({ known: 0, bad: 0 })
    for (const one of await counts(`import --json --data /other ${files}`)) expect(one).toMatchObject({ appended: 0 })
    await sh('export --raw --data /other --out /raw')
    const plain = 'import --json --raw --stream spin32 --data /data /raw/spin30.jsonl'
    const [first] = await counts(plain)
    expect(first!.appended).toBe(first!.found)
    expect(first!.appended).toBeGreaterThan(40)
    expect((await counts(plain))[0]).toMatchObject({ appended: 0 })
    expect(await sh('verify --data /data')).toMatchObject({ code: 0 })
    await stopped(recorder)
  })

  test('bad lines are named and the exit code says so', async () => {
    await simulation.complete(machine.world.files.writeFile('/spin30.jsonl', '{"t":1}\nsecret\n'))
    const { code, out, err } = await sh('import --raw --data /data /spin30.jsonl')
    expect(out).toMatch(/1 of 1 imported.*not of the format: 2$/m)
    expect(out + err).not.toContain('secret')
    expect(code).toBe(1)
  })

  test('a capture asks the running recorder, or records by itself', async () => {
    const recorder = await recording()
    expect(await sh(`capture spin30 /live 5 ${place}`)).toMatchObject({ code: 0 })
    expect(await sh(`capture spin30 /live 5 ${place}`)).toMatchObject({ code: 2 })
    expect(await sh(`capture spin99 /none 5 ${place}`)).toMatchObject({ code: 2 })
    await stopped(recorder)
    expect(await sh(`capture spin30 /own 5 ${place}`)).toMatchObject({ code: 0 })
    for (const path of ['/live', '/own']) {
      const found = await lines(machine.world, `${path}/spin30.jsonl`)
      expect(found.length).toBeGreaterThan(10)
      for (const line of found) expect(JSON.parse(line)).toHaveProperty('t')
    }
  })

  test('acknowledgements rise, and say what is on the disk', async () => {
    const recorder = await recording(5000, ' --acks /acks')
    await stopped(recorder)
    const acks = (await lines(machine.world, '/acks')).map((line) => line.split(' '))
    const seqs = acks.filter(([stream]) => stream === 'spin30').map(([, seq]) => Number(seq))
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    await sh('export --data /data --out /out')
    const last = JSON.parse((await lines(machine.world, '/out/spin30.jsonl')).at(-1)!)
    expect(seqs.at(-1)).toBe(last.seq)
  })

  test('a data folder with a long path is found as well', async () => {
    const data = `/${'long/'.repeat(30)}data`
    const recorder = new Running(machine, `run --data ${data} --credentials ${CREDENTIALS}`)
    await simulation.run(5000)
    expect(await sh(`status --data ${data}`)).toMatchObject({ code: 0 })
    await stopped(recorder)
  })

  test('the log tells streams and codes, never tokens', async () => {
    const recorder = new Running(machine, `run ${place}`, { JOURNAL_STREAM: '8:1' })
    await simulation.run(5000)
    const { out } = await stopped(recorder)
    const token = (await lines(machine.world, `${CREDENTIALS}/log.token.spin30`))[0]!
    expect(out).not.toContain(token)
    for (const line of out.trimEnd().split('\n')) {
      expect(line).toMatch(/^<[3467]>\{/)
      expect(JSON.parse(line.slice(3))).toHaveProperty('msg')
    }
  })
})
