import { readCompressed } from '../../src/captures/compressed-file.ts'
import { daily, HOUR_MS, Lab } from '../../src/captures/fixtures.ts'
import { envelope } from '../../src/captures/formats/envelope.ts'
import { Schedule, type Window } from '../../src/captures/schedule.ts'
import type { SealedFolder } from '../../src/captures/sealed.ts'
import type { CaptureConfig } from '../../src/config/config.ts'
import type { Frame } from '../../src/journal/entry.ts'
import type { Dice } from '../../src/sim/world/dice.ts'
import type { Timer, Us } from '../../src/world/time.ts'
import { encoded } from '../support/encoded.ts'

const STREAMS = ['spin30', 'pend00']
const MINUTE_MS = 60_000

function configs(timeZone: string): CaptureConfig[] {
  return [
    { ...daily, timeZone },
    { ...daily, timeZone, name: 'hourly', schedule: '0 * * * *', durationMs: HOUR_MS },
    { ...daily, timeZone, name: 'night', schedule: '30 2 * * *', durationMs: HOUR_MS },
    { ...daily, timeZone, name: 'working', schedule: '0 9 * * 1-5', durationMs: 9 * HOUR_MS, streams: ['spin*'] }
  ]
}

/** What a life came to. */
export interface Lived {
  readonly windows: number
  readonly supplements: number
  readonly undated: number
  readonly frames: number
  readonly faults: number
  /** What was not as promised. */
  readonly broken: readonly string[]
}

/** Some time of a Pi with four captures, in which it is switched off, killed, and told wrong times. */
export async function liveYear(timeZone: string, startUs: Us, days: number, seed: number): Promise<Lived> {
  const life = new Life(timeZone, startUs, seed)
  await life.begin()
  const endUs = days * 24 * HOUR_MS * 1000
  while (life.lab.simulation.nowUs < endUs) await life.pass()
  await life.settle()
  return life.judge()
}

class Life {
  readonly lab: Lab
  readonly #timeZone: string
  readonly #dice: Dice
  /** Set while the clock is wrong, or not known. */
  #wrongUntilUs: Us | undefined
  #killAtStep = false
  #proofs: Timer | undefined
  #killed = false
  #faults = 0

  constructor(timeZone: string, startUs: Us, seed: number) {
    this.#timeZone = timeZone
    this.lab = new Lab(configs(timeZone), seed, startUs)
    this.#dice = this.lab.simulation.dice.fork('year')
    this.lab.step = () => {
      if (!this.#killAtStep || !this.#dice.chance(0.3)) return
      this.#killAtStep = false
      this.#killed = true
      this.lab.machine.kill()
    }
  }

  async begin(): Promise<void> {
    if (this.#dice.chance(0.5)) this.#forgetTime()
    await this.#start()
  }

  /** Half an hour to three hours, and perhaps something happens. */
  async pass(): Promise<void> {
    const { machine, simulation } = this.lab
    for (let messages = this.#dice.int(1, 3); messages > 0 && !this.#killed; messages--) {
      for (const stream of STREAMS) if (this.#dice.chance(0.7)) this.lab.journal.append(this.lab.message(stream))
      await simulation.run(this.#dice.int(20, 60) * MINUTE_MS)
    }
    if (this.#wrongUntilUs !== undefined && simulation.nowUs >= this.#wrongUntilUs) this.#rightTime()
    if (this.#killed) return this.#startAgain()
    const draw = this.#dice.fraction()
    if (draw < 0.01) await this.#outage(() => machine.cutPower())
    else if (draw < 0.02) await this.#outage(() => machine.kill())
    else if (draw < 0.03) {
      this.#proofs?.cancel()
      await this.lab.stop()
      await this.#outage(() => machine.kill())
    } else if (draw < 0.04) this.#killAtStep = true
    else if (draw < 0.05 && this.#wrongUntilUs === undefined) {
      this.#faults++
      machine.clock.step((this.#dice.chance(0.5) ? 3 : -3) * HOUR_MS * 1000)
      this.#wrongUntilUs = simulation.nowUs + this.#dice.int(1, 10) * HOUR_MS * 1000
    }
  }

  /** The clock is right again, and everything that has ended is sealed. */
  async settle(): Promise<void> {
    this.#killAtStep = false
    if (this.#killed) await this.#startAgain()
    this.#rightTime()
    await this.lab.simulation.run(26 * HOUR_MS)
    // Off the minute after a window's end, in which it is not sealed yet: they all end at a quarter of an hour.
    const { trueWallUs } = this.lab.simulation
    await this.lab.simulation.run(25 * MINUTE_MS - ((trueWallUs / 1000) % (15 * MINUTE_MS)))
  }

  async judge(): Promise<Lived> {
    const broken: string[] = []
    const { lab } = this
    const sealed = await lab.sealed()
    const nowUs = lab.simulation.trueWallUs
    const status = await lab.do(lab.captures.status())
    for (const { capture, due } of status)
      if (due?.length !== 0) broken.push(`${capture}: still due: ${JSON.stringify(due)}`)
    const undated = sealed.filter(({ manifest }) => manifest.undated)
    for (const config of configs(this.#timeZone)) {
      const ours = sealed.filter(({ capture }) => capture === config.name)
      broken.push(...(await this.#judgeCapture(config, ours, nowUs)))
    }
    return {
      windows: sealed.filter(({ manifest }) => manifest.supplement === 1).length,
      supplements: sealed.filter(({ manifest }) => manifest.supplement > 1).length,
      undated: undated.length,
      frames: (await lab.range(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).length,
      faults: this.#faults,
      broken
    }
  }

  async #judgeCapture(config: CaptureConfig, sealed: readonly SealedFolder[], nowUs: Us): Promise<string[]> {
    const broken: string[] = []
    const wanted = (stream: string): boolean => config.streams.length === 0 || stream.startsWith('spin')
    const windows = new Map<string, SealedFolder[]>()
    for (const folder of sealed) {
      const label = folder.manifest.supplements ?? folder.folder
      windows.set(label, [...(windows.get(label) ?? []), folder])
    }
    // Every window of the schedule, once, from the first on that was made.
    const schedule = new Schedule(config.schedule, config.durationMs, this.#timeZone)
    const begun = (await this.lab.do(this.lab.captures.ledger())).progress?.begun[config.name] ?? 0
    for (let window = schedule.holding(begun)[0] ?? schedule.after(begun); window && window.toUs <= nowUs; ) {
      const parts = windows.get(window.label) ?? []
      if (parts.filter(({ manifest }) => manifest.supplement === 1).length !== 1)
        broken.push(`${window.label} is not there once`)
      window = schedule.after(window.fromUs)
    }
    const apart = sealed.flatMap(({ manifest }) => manifest.undated ?? [])
    const isApart = ({ position }: Frame): boolean =>
      apart.some(({ fromPosition, toPosition }) => position >= fromPosition && position < toPosition)
    let captured = 0
    for (const [label, parts] of windows) {
      const { window } = parts[0]!.manifest
      if (!window) continue
      const frames = (await this.lab.range(window.fromUs, window.toUs)).filter((frame) => wanted(frame.stream))
      const expected = frames.filter((frame) => !isApart(frame))
      captured += expected.length
      if ((await this.#content(parts)) !== linesOf(expected))
        broken.push(`${config.name} ${label} is not what the journal has`)
      const last = parts.reduce((a, b) => (b.manifest.supplement > a.manifest.supplement ? b : a))
      broken.push(...(await this.#judgeCoverage(config.name, label, last)))
    }
    const held = sealed.filter(({ manifest }) => manifest.undated)
    captured += held.flatMap(({ manifest }) => manifest.streams).reduce((sum, { frames }) => sum + frames, 0)
    const all = await this.lab.range(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const ended = all.filter((frame) => wanted(frame.stream) && hasEnded(schedule, frame.trueUs ?? frame.wallUs, nowUs))
    const inWindows =
      ended.filter((frame) => !isApart(frame)).length +
      all.filter((frame) => wanted(frame.stream) && isApart(frame)).length
    if (captured !== inWindows) broken.push(`${config.name}: ${captured} frames are sealed, ${inWindows} should be`)
    return broken
  }

  /** What was heard does not change any more once it was sealed, except where that says that the time was not known. */
  async #judgeCoverage(capture: string, label: string, { manifest }: SealedFolder): Promise<string[]> {
    const { window, streams } = manifest
    if (!window || streams.length === 0) return []
    const names = streams.map(({ stream }) => stream)
    const now = await this.lab.do(
      this.lab.journal.coverage({ streams: names, fromUs: window.fromUs, toUs: window.toUs })
    )
    const said = streams.map(({ coverage }) => coverage)
    const holds = now.every(({ heardUs }, i) => {
      const unknown = said[i]!.rest.filter(({ cause }) => cause === 'time unknown')
      const unknownUs = unknown.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0)
      return heardUs >= said[i]!.heardUs && heardUs <= said[i]!.heardUs + unknownUs
    })
    const heard = (all: ReadonlyArray<{ heardUs: Us }>): string => all.map(({ heardUs }) => heardUs).join()
    return holds ? [] : [`${capture} ${label}: heard ${heard(said)}, and by the journal ${heard(now)}`]
  }

  /** The lines of all parts, by the frames' numbers. */
  async #content(parts: readonly SealedFolder[]): Promise<string> {
    const byStream = new Map<string, string[]>()
    for (const { path, manifest } of parts) {
      for (const { name } of manifest.files) {
        const pieces: Buffer[] = []
        const read = readCompressed(
          this.lab.machine.world,
          `${path}/${name}`,
          'zstd',
          (piece) => void pieces.push(piece)
        )
        await this.lab.do(read)
        const lines = Buffer.concat(pieces).toString().split('\n').slice(0, -1)
        byStream.set(name, [...(byStream.get(name) ?? []), ...lines])
      }
    }
    const numbered = [...byStream].map(([name, lines]) => [name, inOrder(lines)] as const)
    return numbered
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, lines]) => lines)
      .map((line) => `${line}\n`)
      .join('')
  }

  async #outage(stop: () => void): Promise<void> {
    this.#faults++
    stop()
    const ms = this.#dice.chance(0.2) ? this.#dice.int(1, 72) * HOUR_MS : this.#dice.int(1, 300) * MINUTE_MS
    await this.lab.simulation.run(ms)
    const { machine } = this.lab
    if (this.#dice.chance(0.7)) machine.boot()
    else if (machine.on) machine.start()
    else machine.boot()
    if (this.#dice.chance(0.3)) this.#forgetTime()
    await this.#start()
  }

  async #startAgain(): Promise<void> {
    this.#faults++
    this.#killed = false
    this.lab.machine.start()
    await this.#start()
  }

  async #start(): Promise<void> {
    await this.lab.start()
    for (const stream of STREAMS) {
      this.lab.journal.hearing.added(stream)
      this.lab.journal.hearing.heard(stream)
    }
    const { hearing } = this.lab.journal
    this.#proofs = this.lab.machine.world.timers.every(50_000, () => {
      for (const stream of STREAMS) hearing.proof(stream)
    })
  }

  /** As a Pi without a battery begins, until the network gives the time: mostly soon, sometimes not for days. */
  #forgetTime(): void {
    const { machine, simulation } = this.lab
    machine.clock.setWall(this.#dice.int(1, 1000) * 1_000_000)
    machine.clock.setSynchronised(false)
    const hours = this.#dice.chance(0.1) ? this.#dice.int(49, 80) : this.#dice.int(0, 10)
    this.#wrongUntilUs = simulation.nowUs + hours * HOUR_MS * 1000
  }

  #rightTime(): void {
    const { machine, simulation } = this.lab
    machine.clock.setWall(simulation.trueWallUs)
    machine.clock.setSynchronised(true)
    this.#wrongUntilUs = undefined
  }
}

function inOrder(lines: readonly string[]): string[] {
  const numbered = lines.map((line) => ({ line, seq: (JSON.parse(line) as { seq: number }).seq }))
  return numbered.sort((a, b) => a.seq - b.seq).map(({ line }) => line)
}

function linesOf(frames: readonly Frame[]): string {
  const byStream = [...frames].sort((a, b) => (a.stream === b.stream ? a.seq - b.seq : a.stream < b.stream ? -1 : 1))
  return encoded(envelope, byStream).lines
}

function hasEnded(schedule: Schedule, timeUs: Us, nowUs: Us): boolean {
  const windows: readonly Window[] = schedule.holding(timeUs)
  return windows.length > 0 && windows.every(({ toUs }) => toUs <= nowUs)
}
