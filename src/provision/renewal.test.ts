import { expect, test } from 'vitest'
import { Running } from '../../test/support/shell.ts'
import { loadCommands } from '../cli/program.ts'
import type { StreamCoverage } from '../journal/reading.ts'
import { SimulatedRelay } from '../sim/relay/relay.ts'
import { Crowd } from '../sim/students/crowd.ts'
import { spinners } from '../sim/students/generate.ts'
import { BOOT, DATA, DAY_S, FreshPi, LINE, TO } from './fixtures.ts'

/** The yearly renewal, as a lab sees it: somebody brings files, and nobody logs in. */

await loadCommands()

/** How long the tokens last that are to be renewed. */
const OLD_S = 600
const STICK = '/run/understudy-stick'
const CONFIG = `--config ${TO}/understudy.toml`

test.each([
  ['on the card', BOOT],
  ['on a stick', STICK]
])(
  'twelve renewed tokens and a new stream, brought once %s, are recorded with no gap on the others',
  async (_, where) => {
    const pi = new FreshPi()
    const { simulation } = pi
    const lab = simulation.machine('relay')
    const relay = new SimulatedRelay(lab.world, { secret: 'of the relay', host: 'relay' })
    await simulation.complete(relay.start())
    const streams = spinners(12)
    const crowd = new Crowd(lab.world, relay, { streams: [...streams, 'spin42'], seed: 3, rateHz: 1 })

    const bring = async (stream: string, folder: string, expiresInS: number): Promise<void> => {
      const { accessFile, tokenFile } = relay.credentials(stream, { expiresInS })
      for (const { name, content } of [accessFile, tokenFile]) await pi.put(`${folder}/${name}`, content)
    }
    const nowIso = (): string => new Date(pi.machine.clock.wallUs() / 1000).toISOString()
    const heard = async (): Promise<string[]> => {
      const { streams: told } = JSON.parse((await pi.sh(`status --json ${CONFIG}`)).out)
      return told.flatMap(({ stream, heard }: { stream: string; heard: boolean }) => (heard ? [stream] : []))
    }

    for (const stream of streams) await bring(stream, BOOT, OLD_S)
    await pi.put(`${BOOT}/understudy.toml`, `[data]\ndirectory = "${DATA}"\n`)
    expect(await pi.sh(LINE)).toMatchObject({ code: 0 })
    const recorder = new Running(pi.machine, `run ${CONFIG}`)
    await simulation.run(5000)
    await simulation.complete(crowd.start())
    await simulation.run(60_000)
    expect(await heard()).toEqual(streams)

    const from = nowIso()
    for (const stream of [...streams, 'spin42']) await bring(stream, where, 365 * DAY_S)
    // Beside them what is of no use: it does no harm, and stays where it is.
    await pi.put(`${where}/practable/log.token.spin30`, 'not a token')
    await bring('spin31', `${where}/practable`, -DAY_S)
    const { code, out } = await pi.sh(LINE.replace(BOOT, where))
    expect([code, out]).toEqual([0, expect.stringContaining('13 streams can be recorded')])
    expect(out).toContain('practable/log.token.spin30: it is not a JWT')
    expect(out).toContain('practable/log.token.spin31: it expired on ')
    expect(await pi.names(`${where}/practable`)).toEqual(['log.token.spin30', 'log.token.spin31'])
    expect((await pi.names(where)).filter((name) => name.startsWith('log.'))).toEqual([])
    await simulation.run(60_000)
    const period = `--from ${from} --to ${nowIso()}`
    const coverage: StreamCoverage[] = JSON.parse((await pi.sh(`coverage --json ${CONFIG} ${period}`)).out)
    expect(coverage.map(({ stream }) => stream)).toEqual([...streams, 'spin42'])
    for (const { stream, share, rest } of coverage) {
      if (stream !== 'spin42') expect([stream, share, rest]).toEqual([stream, 1, []])
      else expect(share).toBeGreaterThan(0.7)
    }

    // The old tokens end, and with them the connections that were opened by them.
    await simulation.run(OLD_S * 1000)
    expect(await heard()).toEqual([...streams, 'spin42'])
    const { out: raw } = await pi.sh(`export --raw --out - --stream spin42 ${CONFIG}`)
    expect(raw.split('\n').length).toBeGreaterThan(200)
    recorder.stop()
    expect(await simulation.complete(recorder.result)).toMatchObject({ code: 0 })
  }
)
