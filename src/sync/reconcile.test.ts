import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame, MemoryJournal, START_US } from '../../test/support/memory-journal.ts'
import { type Logged, PrimaryModel } from '../../test/support/primary-model.ts'
import { Counts } from '../analytics/count.ts'
import { nodesOf } from '../analytics/experiments.ts'
import { Dice } from '../sim/world/dice.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Files } from '../world/files.ts'
import { type Reconciliation, reconcile } from './reconcile.ts'
import type { DayRow } from './reconcile-days.ts'
import { PrimaryFolder } from './reconcile-folder.ts'
import { importMissing } from './reconcile-import.ts'
import { type RestoreOptions, type RestoreReport, restore } from './restore.ts'

const logs: Record<string, string[]> = {
  spinner: ['voltage', 'voltage_ramp', 'position', 'position_ramp', 'speed', 'speed_ramp'],
  pendulum: ['start', 'brake', 'load', 'free', 'sampling', 'drive_perc', 'brake_perc', 'measuring_tools', 'record']
}
const HOUR_MS = 3_600_000

/**
 * Commands of some students over some days, each at its own time, in order of arrival. No name begins another with a
 * dash after it: the primary would read one's log for the other's.
 */
function someCommands(dice: Dice, count = 120): Logged[] {
  const students = ['anna', 'ben', 'maria-anna', 'carla'].map((user) => ({
    user,
    exp: dice.chance(0.5) ? 'spinner' : 'pendulum',
    course: dice.chance(0.5) ? 'cie3' : 'engdes1',
    hardware: ['lab30', 'lab31', 'lab32'].slice(0, dice.int(1, 3))
  }))
  let t = START_US / 1000
  return Array.from({ length: count }, () => {
    const { user, exp, course, hardware } = students[dice.int(0, students.length - 1)]!
    t += dice.int(1, 2 * HOUR_MS)
    const log = logs[exp]![dice.int(0, logs[exp]!.length - 1)]!
    const on = hardware[dice.int(0, hardware.length - 1)]!
    return { user, t, exp, course, hardware: on, type: 'analytics', payload: { log } }
  })
}

/** One of a Pi's world: its files, a journal and a primary's folder. */
class Lab {
  private readonly simulation = new Simulation(5)
  readonly files: Files = this.simulation.machine('pi').world.files
  readonly journal: MemoryJournal
  readonly primary = new PrimaryModel(this.files, '/primary')

  private constructor(journal: readonly Logged[]) {
    this.journal = new MemoryJournal(journal.map(framed))
  }

  static async of(journal: readonly Logged[]): Promise<Lab> {
    const lab = new Lab(journal)
    await lab.run(lab.files.makeDirectory('/primary'))
    return lab
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.simulation.complete(work)
  }

  log(messages: readonly Logged[]): Promise<void> {
    return this.run(
      (async () => {
        for (const message of messages) await this.primary.log(message)
      })()
    )
  }

  reconcile(directory = '/primary'): Promise<Reconciliation> {
    return this.run((async () => reconcile(await PrimaryFolder.open(this.files, directory, ['lab30']), this.journal))())
  }

  /** What `reconcile --import` does. */
  import(): Promise<Awaited<ReturnType<typeof importMissing>>> {
    return this.run(
      (async () => {
        const folder = await PrimaryFolder.open(this.files, '/primary', [])
        const { fingerprints } = await reconcile(folder, this.journal)
        return importMissing(folder, fingerprints, this.journal)
      })()
    )
  }

  restore(directory: string, options?: RestoreOptions): Promise<RestoreReport> {
    return this.run(restore(this.files, directory, this.journal, options))
  }
}

function framed(message: Logged): ReturnType<typeof frame> {
  return frame({ stream: message.hardware, text: JSON.stringify(message), wallUs: message.t * 1000 })
}

const dayOf = ({ t }: Logged): string => new Date(t).toISOString().slice(0, 10)

/** The expected rows, made of what is known to have happened to each message. */
class Expected {
  private readonly rows = new Map<string, DayRow>()

  add(
    message: Pick<Logged, 'hardware'> & { day: string },
    ...fields: Array<keyof Omit<DayRow, 'stream' | 'day'>>
  ): void {
    const { hardware: stream, day } = message
    const row = this.rows.get(`${stream} ${day}`) ?? {
      ...{ stream, day, both: 0, onlyPrimary: 0, onlyPi: 0, counted: 0, notComparable: 0 }
    }
    for (const field of fields) row[field]++
    this.rows.set(`${stream} ${day}`, row)
  }

  get sorted(): DayRow[] {
    return [...this.rows.keys()].sort().map((name) => this.rows.get(name)!)
  }
}

const seeds = fc.integer({ min: 0, max: 1e6 })

/** What a direct count of messages gives. */
function counted(messages: readonly Logged[]): Counts<number> {
  const counts = new Counts<number>()
  for (const [index, message] of messages.entries()) counts.add(message, index)
  return counts
}

describe('the differences are exactly those that were made', () => {
  test('lines and hours missing, lines doubled, lines cut', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const dice = new Dice(seed)
        const messages = someCommands(dice)
        const lab = await Lab.of(messages)
        const lostHour = Math.floor(messages[dice.int(0, messages.length - 1)]!.t / HOUR_MS)
        const expected = new Expected()
        for (const message of messages) {
          const day = dayOf(message)
          const { user, hardware, exp, course } = message
          const fate = dice.int(0, 9)
          if (Math.floor(message.t / HOUR_MS) === lostHour || fate === 0) {
            expected.add({ hardware, day }, 'onlyPi')
          } else if (fate === 1) {
            await lab.log([message, message])
            expected.add({ hardware, day }, 'both', 'onlyPrimary')
          } else if (fate === 2) {
            const half = JSON.stringify(message).slice(0, dice.int(1, 60))
            await lab.run(lab.primary.append(`${user}-${hardware}-${exp}-${course}.json`, `${half}\n`))
            expected.add({ hardware, day }, 'onlyPi')
            expected.add({ hardware, day: '-' }, 'notComparable')
          } else {
            await lab.log([message])
            expected.add({ hardware, day }, 'both')
          }
        }
        const { days, differences, reordered } = await lab.reconcile()
        expect(days).toEqual(expected.sorted)
        expect([differences, reordered]).toEqual([[], []])
      }),
      { numRuns: 40 }
    )
  })

  test('lines in another order are found, also where others are missing', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const dice = new Dice(seed)
        const messages = someCommands(dice)
        const lab = await Lab.of(messages)
        const logs = new Map<string, Logged[]>()
        for (const message of messages) {
          const { user, hardware, exp, course } = message
          const key = JSON.stringify([user, hardware, exp, course])
          logs.set(key, [...(logs.get(key) ?? []), message])
        }
        const swapped: string[] = []
        for (const [key, lines] of logs) {
          const kept = lines.filter(() => dice.chance(0.8))
          const at = dice.int(1, Math.max(1, kept.length - 1))
          if (at < kept.length && dice.chance(0.5)) {
            swapped.push(key)
            const [one, other] = [kept[at - 1]!, kept[at]!]
            kept.splice(at - 1, 2, other, one)
          }
          await lab.log(kept)
        }
        const { days, reordered } = await lab.reconcile()
        const found = reordered.map(({ user, hardware, exp, course }) => JSON.stringify([user, hardware, exp, course]))
        expect(found.sort()).toEqual(swapped.sort())
        expect(days.reduce((sum, row) => sum + row.onlyPrimary, 0)).toBe(0)
      }),
      { numRuns: 40 }
    )
  })

  test('what the primary has counted and deleted is compared by its matrices, and nothing differs', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const dice = new Dice(seed)
        const messages = someCommands(dice)
        const lab = await Lab.of(messages)
        const missed = new Set<Logged>()
        for (const message of messages) {
          await lab.log([message])
          const { user, exp, course } = message
          if (dice.chance(0.1)) await lab.run(lab.primary.count(user, exp, course))
        }
        // what came last of some students is lost after counting
        const last = messages.at(-1)!
        const { user, exp, course, hardware } = last
        await lab.run(lab.primary.count(user, exp, course))
        const next = { ...last, t: last.t + 5 }
        missed.add(next)
        await lab.journal.append([framed(next)])
        const { days, differences, reordered } = await lab.reconcile()
        expect([differences, reordered]).toEqual([[], []])
        const total = (of: (row: DayRow) => number): number => days.reduce((sum, row) => sum + of(row), 0)
        expect(total((row) => row.onlyPi)).toBe(missed.size)
        expect(total((row) => row.onlyPrimary)).toBe(0)
        expect(total((row) => row.both + row.counted)).toBe(messages.length)
        expect(days.find((row) => row.stream === hardware && row.day === dayOf(next))!.onlyPi).toBe(1)
      }),
      { numRuns: 40 }
    )
  })

  test('what was lost before it was counted shows in the cells', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const dice = new Dice(seed)
        const messages = someCommands(dice)
        const lab = await Lab.of(messages)
        const heard = messages.filter(() => dice.chance(0.9))
        await lab.log(heard)
        const expected: string[] = []
        for (const { key } of counted(messages).students()) {
          const { user, exp, course } = key
          const theirs = await lab.run(lab.primary.count(user, exp, course))
          const of = ({ user: one, exp: its }: Logged): boolean => one === user && its === exp
          const lastHeard = heard.findLast(of)
          // one command alone is not counted, and its log is kept
          const until = lastHeard && heard.filter(of).length > 1 ? messages.indexOf(lastHeard) : -1
          const ours = counted(messages.slice(0, until + 1))
            .get(key)
            ?.matrix()
          for (const [from, row] of theirs.entries()) {
            for (const [to, primary] of row.entries()) {
              const pi = ours?.[from]?.[to] ?? 0
              if (primary !== pi) expected.push(`${user} ${exp} ${from}>${to} ${primary} ${pi}`)
            }
          }
        }
        const { differences } = await lab.reconcile()
        const found = differences.flatMap(({ user, exp, cells }) =>
          cells.map(({ row, column, primary, pi }) => {
            const nodes: readonly string[] = nodesOf[exp]
            return `${user} ${exp} ${nodes.indexOf(row)}>${nodes.indexOf(column)} ${primary} ${pi}`
          })
        )
        expect(found.sort()).toEqual(expected.sort())
      }),
      { numRuns: 40 }
    )
  })

  test('feedback is compared by its counts', async () => {
    const lab = await Lab.of([])
    const feedback = { user: 'anna', t: 1, exp: 'spinner', course: 'cie3', type: 'feedback' }
    const text = JSON.stringify({ ...feedback, payload: { state: 'Curious', subject: 'UI' } })
    await lab.journal.append([frame({ text }), frame({ text })])
    const one = await Lab.of([])
    await one.journal.append([frame({ text })])
    await one.restore('/one')
    await lab.run(lab.files.makeDirectory('/primary'))
    const csv = await one.run(one.files.readFile('/one/anna-spinner-cie3-feedback.csv'))
    await lab.run(lab.files.writeFile('/primary/anna-spinner-cie3-feedback.csv', csv))
    expect((await lab.reconcile()).differences).toEqual([
      {
        ...{ user: 'anna', exp: 'spinner', course: 'cie3', table: 'feedback' },
        cells: [{ row: 'Curious', column: 'UI', primary: 1, pi: 2 }]
      }
    ])
  })

  test('plain captures are compared by value, over the time they cover', async () => {
    const messages = someCommands(new Dice(7)).filter(({ hardware }) => hardware === 'lab30')
    const lab = await Lab.of(messages)
    const captured = messages.slice(3, -3).filter((_, index) => index !== 4)
    const text = captured.map((message) => JSON.stringify(Object.fromEntries(Object.entries(message).reverse())))
    await lab.run(lab.files.writeFile('/primary/lab30.txt', `${text.join('\n')}\nnoise\n`))
    const { days } = await lab.reconcile()
    const total = (of: (row: DayRow) => number): number => days.reduce((sum, row) => sum + of(row), 0)
    expect(total((row) => row.notComparable)).toBe(1)
    expect(total((row) => row.onlyPrimary)).toBe(0)
    expect(total((row) => row.both)).toBe(captured.length)
    expect(total((row) => row.onlyPi)).toBe(1)
  })
})

test('after healing, the primary counts what was given, the next command continues it, and nothing differs', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const dice = new Dice(seed)
      const messages = someCommands(dice)
      const inJournal = messages.filter((_, index) => index < 60 || dice.chance(0.85))
      const lab = await Lab.of(inJournal)
      for (const [index, message] of messages.entries()) {
        const { user, exp, course, hardware } = message
        const roll = dice.fraction()
        const onlyTheirs = !inJournal.includes(message)
        if (onlyTheirs || roll > 0.3) await lab.log([message])
        else if (roll > 0.2) await lab.log([message, message])
        else if (roll > 0.1) await lab.run(lab.primary.append(`${user}-${hardware}-${exp}-${course}.json`, '{"us\n'))
        // what the Pi does not have is not counted and deleted, or nobody has it
        if (index < 60 && dice.chance(0.1)) await lab.run(lab.primary.count(user, exp, course))
      }
      const { imported, copies } = await lab.import()
      expect(imported).toBe(messages.length - inJournal.length)
      expect(await lab.import()).toEqual({ imported: 0, copies, refused: 0 })
      expect(lab.journal.frames.filter(({ origin }) => origin === 'import').length).toBe(imported)

      await lab.restore('/healed')
      const healed = await lab.reconcile('/healed')
      expect(healed.differences).toEqual([])
      expect(
        healed.days.every(({ onlyPi, onlyPrimary, notComparable }) => onlyPi + onlyPrimary + notComparable === 0)
      ).toBe(true)

      const primary = new PrimaryModel(lab.files, '/healed')
      const next: Logged[] = []
      for (const { key, matrix } of students(messages)) {
        expect(await lab.run(primary.count(key.user, key.exp, key.course))).toEqual(matrix)
        const last = messages.findLast(({ user, exp }) => user === key.user && exp === key.exp)!
        const log = logs[key.exp]![dice.int(0, 5)]!
        next.push({ ...last, t: messages.at(-1)!.t + 1, payload: { log } })
      }
      for (const message of next) await lab.run(primary.log(message))
      for (const { key, matrix } of students([...messages, ...next])) {
        expect(await lab.run(primary.count(key.user, key.exp, key.course))).toEqual(matrix)
      }
    }),
    { numRuns: 40 }
  )
})

function students(messages: readonly Logged[]) {
  return [...counted(messages).students()].map((student) => ({ key: student.key, matrix: student.matrix() }))
}

describe('restoring', () => {
  test('takes over what only the primary knows of, and refuses to write over anything', async () => {
    const lab = await Lab.of(someCommands(new Dice(1), 20))
    const other = await Lab.of([])
    await other.log([...someCommands(new Dice(2), 5)].map((message) => ({ ...message, user: 'only-theirs' })))
    const { user, exp, course } = { user: 'only-theirs', exp: 'spinner', course: 'cie3' }
    const rows = nodesOf.spinner.map((name) => `${name},1.0,0.0,0.0,0.0,0.0,0.0\n`)
    const csv = `,${nodesOf.spinner.join(',')}\n${rows.join('')}`
    await lab.run(lab.files.writeFile(`/primary/${user}-${exp}-${course}-adjacency.csv`, csv))
    const folder = await lab.run(PrimaryFolder.open(lab.files, '/primary', []))
    const theirs = await lab.run(folder.tables())
    expect(await lab.restore('/out', { theirs, differences: (await lab.reconcile()).differences })).toMatchObject({
      takenOver: 1,
      countedMore: 0
    })
    expect((await lab.run(lab.files.readFile(`/out/${user}-${exp}-${course}-adjacency.csv`))).toString()).toBe(csv)
    await expect(lab.restore('/out')).rejects.toMatchObject({ code: 'UNDERSTUDY_OUTPUT_EXISTS' })
  })

  test('keeps what the primary has counted more, if asked to', async () => {
    const messages = someCommands(new Dice(3), 40)
    const lab = await Lab.of(messages.slice(20))
    await lab.log(messages.slice(0, 30))
    for (const { key } of students(messages)) await lab.run(lab.primary.count(key.user, key.exp, key.course))
    await lab.log(messages.slice(30))
    const { differences } = await lab.reconcile()
    expect((await lab.restore('/ours', { differences })).countedMore).toBeGreaterThan(0)
    await lab.restore('/kept', { differences, keepCounted: true })
    const primary = new PrimaryModel(lab.files, '/kept')
    for (const { key, matrix } of students(messages)) {
      expect(await lab.run(primary.matrix(key.user, key.exp, key.course))).toEqual(matrix)
    }
  })
})

test('a folder of anything is compared without failing', async () => {
  const names = fc.constantFrom(
    'a-b-c-d.json',
    'a-spinner-c-adjacency.csv',
    'lab30.log',
    'names.json',
    'a-spinner-cie3-feedback.csv',
    'x'
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, fc.oneof(fc.string(), fc.json(), fc.uint8Array())), async (files) => {
      const lab = await Lab.of(someCommands(new Dice(4), 5))
      for (const [name, content] of Object.entries(files))
        await lab.run(lab.files.writeFile(`/primary/${name}`, content))
      await lab.reconcile()
    }),
    { numRuns: 50 }
  )
})
