import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/health/verdict.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { messages } from '../../src/sim/students/generate.ts'
import { sleep } from '../../src/world/time.ts'
import { Recorder } from './rig/recorder.ts'
import { relays, world } from './rig/relays.ts'
import { Speaker } from './rig/speaker.ts'

const streams = ['spin30', 'spin31']
const TICK_MS = 1200

describe.each(relays)('%s', (_, make) => {
  const relay = make()
  beforeAll(() => relay.start())
  afterAll(() => relay.stop())

  test('every command, while one records and when none does', async () => {
    const recorder = await Recorder.prepare()
    const credentials = streams.map((stream) => credentialsOf(world, relay, stream))
    for (const one of credentials) await recorder.issue(one)
    recorder.start()
    await recorder.untilHeard(streams)
    const speakers = await Promise.all(streams.map((stream) => Speaker.join(relay, stream)))
    const texts = [...messages({ seed: 3, streams, count: 200 })]
    for (const [index, stream] of streams.entries()) {
      await speakers[index]!.say(texts.filter((one) => one.stream === stream).map(({ text }) => text))
    }
    await speakers[0]!.say([Buffer.from('{"user":"a made-up user","binary":1}')])
    await sleep(world.timers, TICK_MS)

    /** A capture holds what was said from some moment of its time on, without a hole, to its end. */
    const expectCaptured = async (stream: string, speaker: Speaker): Promise<void> => {
      let ended = false
      const directory = `${recorder.folder}/captured`
      const capture = recorder.command('capture', stream, directory, '2').finally(() => {
        ended = true
      })
      const before = speaker.said.length
      for (let n = 0; !ended; n += 1) {
        await speaker.say([`{"captured":${n}}`])
        await sleep(world.timers, 50)
      }
      expect(await capture).toMatchObject({ code: 0 })
      const said = speaker.said.slice(before).map(({ text }) => text)
      const lines = (await readFile(`${directory}/${stream}.jsonl`, 'utf8')).split('\n').slice(0, -1)
      expect(lines.length).toBeGreaterThan(0)
      const first = said.indexOf(lines[0]!)
      expect(lines).toEqual(said.slice(first, first + lines.length))
    }

    // While it records.
    const { code: exitCode, out } = await recorder.command('status', '--json')
    const status = JSON.parse(out) as { streams: object[]; problems: object[]; health: { verdict: Verdict } }
    // Whether this machine's clock is synchronised is for the verdict to say.
    expect(exitCode).toBe({ ok: 0, attention: 1, failing: 5 }[status.health.verdict.state])
    expect(status.streams).toMatchObject(streams.map((stream) => ({ stream, heard: true })))
    expect(status.problems).toEqual([])
    expect((await recorder.coverage()).get('spin30')!.heardUs).toBeGreaterThan(0)
    expect(await recorder.json('verify')).toMatchObject({ problems: [] })
    const doctor = await recorder.command('doctor')
    expect(doctor.out).toContain('spin31: heard')
    const second = await recorder.command('run')
    expect(second).toMatchObject({ code: 3, err: expect.stringContaining('UNDERSTUDY_ALREADY_RUNNING') })
    await expectCaptured('spin30', speakers[0]!)

    const exporting = `${recorder.folder}/one`
    await recorder.json('export', '--out', exporting)
    const toOutput = await recorder.command('export', '--raw', '--stream', 'spin31', '--out', '-')
    expect(toOutput.out).toBe(`${speakers[1]!.said.map(({ text }) => text).join('\n')}\n`)
    const files = streams.map((stream) => `${exporting}/${stream}.jsonl`)
    const imported = await recorder.command('import', ...files)
    expect(imported.code).toBe(0)
    expect(imported.out).toMatch(/: 0 of \d+ imported/)

    // SIGTERM: within 5 s, and all that was acknowledged is there, and all that was not too.
    await speakers[1]!.say(['{"last":"of all"}'])
    const { code, ms } = await recorder.stop()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    const exported = await recorder.exported(streams)
    const frames = await recorder.command('export', '--out', '-')
    const last = new Map<string, number>()
    for (const line of frames.out.split('\n').slice(0, -1)) {
      const { stream, seq } = JSON.parse(line) as { stream: string; seq: number }
      last.set(stream, seq)
    }
    expect(await recorder.acknowledged()).toEqual(last)

    // When none records.
    const none = await recorder.command('status')
    expect(none).toMatchObject({ code: 4, err: expect.stringContaining('UNDERSTUDY_NOT_RUNNING') })
    const before = await recorder.json<{ chain: string; problems: object[] }>('verify')
    expect(before.problems).toEqual([])
    const again = await recorder.command('import', ...files)
    expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/: 0 of \d+ imported/) })
    expect(await recorder.exported(streams)).toEqual(exported)
    expect((await recorder.command('doctor')).out).toContain('spin31: heard')
    await expectCaptured('spin31', speakers[1]!)

    // Into another data folder: the same frames, byte for byte, once.
    const other = ['--data', `${recorder.folder}/other`]
    const whole = `${recorder.folder}/two`
    await recorder.json('export', '--out', whole)
    const paths = streams.map((stream) => `${whole}/${stream}.jsonl`)
    expect(await recorder.command('import', ...other, ...paths)).toMatchObject({ code: 0 })
    expect((await recorder.command('import', ...other, ...paths)).out).toMatch(/: 0 of \d+ imported/)
    await recorder.json('export', ...other, '--out', `${recorder.folder}/three`)
    for (const stream of streams) {
      const as = async (folder: string): Promise<unknown[]> =>
        (await readFile(`${recorder.folder}/${folder}/${stream}.jsonl`, 'utf8'))
          .split('\n')
          .slice(0, -1)
          .map((line) => {
            const { seq, part, time_us, mono_us, boot, binary, raw, raw_b64 } = JSON.parse(line)
            return { seq, part, time_us, mono_us, boot, binary, raw, raw_b64 }
          })
      expect(await as('three')).toEqual(await as('two'))
    }
    expect(await recorder.json('verify', ...other)).toMatchObject({ problems: [] })

    // What nobody may read in a log.
    const users = new Set(texts.map(({ text }) => (JSON.parse(text) as { user: string }).user))
    const secrets = [...users, 'a made-up user', 'code=', ...credentials.flatMap(({ token }) => token.split('.'))]
    const said = [recorder.output, second.err, doctor.out, none.err, imported.out].join('\n')
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([])
    expect(said).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/)
  })
})
