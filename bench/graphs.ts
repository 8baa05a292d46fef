/**
 * One part of the bench of analytics, in a process of its own:
 *
 *     graphs.ts fill COMMANDS STUDENTS DIRECTORY   a journal of commands, of the students at random
 *     graphs.ts lines COMMANDS STUDENTS            the same messages on standard output, one a line
 *     graphs.ts read ANSWERS DIRECTORY             makes the graphs of a journal, answers, and prints what that took
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pid } from 'node:process'
import type { Key } from '../src/analytics/count-message.ts'
import { loadModels } from '../src/analytics/models.ts'
import { StudentGraphs } from '../src/analytics/student-graphs.ts'
import { reply } from '../src/analytics/wire/replies.ts'
import { readRequest } from '../src/analytics/wire/requests.ts'
import { Dice } from '../src/sim/world/dice.ts'
import { dayUs, log, openJournal, worldAt } from './harness/journal.ts'
import { cpuUs, memory } from './harness/proc.ts'

const [part, first, second, third] = process.argv.slice(2)
const COMMANDS = ['voltage', 'voltage_ramp', 'position', 'position_ramp', 'speed', 'speed_ramp']

/** Commands of students on one to three spinners each. */
function* messages(count: number, students: number): Generator<[stream: string, text: string]> {
  const dice = new Dice(1)
  for (let sent = 0; sent < count; sent++) {
    const student = dice.int(0, students - 1)
    const hardware = `spin3${(student + dice.int(0, student % 3)) % 10}`
    const user = `00000000-0000-4000-8000-${String(student).padStart(12, '0')}`
    const payload = { log: COMMANDS[dice.int(0, 5)], data: { set: dice.int(-100, 100), kp: 1, ki: 0, kd: 0 } }
    const t = Math.floor(dayUs(0) / 1000) + sent * 80
    const message = { user, t, exp: 'spinner', hardware, course: 'cie3', type: 'analytics', payload }
    yield [hardware, JSON.stringify(message)]
  }
}

async function fill(count: number, students: number, directory: string): Promise<void> {
  const clock = { nowUs: dayUs(0) }
  const journal = await openJournal(directory, clock)
  let done = 0
  for (const [stream, text] of messages(count, students)) {
    clock.nowUs += 80_000
    journal.append({ stream, payload: Buffer.from(text), binary: false, origin: 'relay' })
    if (++done % 1000 === 0) await journal.commit()
  }
  await journal.commit()
  await journal.close()
}

async function read(answers: number, directory: string): Promise<void> {
  const clock = { nowUs: dayUs(40) }
  const [world, journal] = [await worldAt(clock), await openJournal(directory, clock)]
  const end = journal.nextPosition
  const idle = memory(pid).anonymousBytes
  const graphs = new StudentGraphs(world, journal, log)
  let highest = 0
  const watch = setInterval(() => {
    highest = Math.max(highest, memory(pid).anonymousBytes)
  }, 100)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const began = performance.now()
  const begunUs = cpuUs(pid)
  graphs.start()
  await graphs.readTo(end)
  const readMs = performance.now() - began
  const usedUs = cpuUs(pid) - begunUs
  delay.disable()
  const keys: Key[] = []
  let commands = 0
  for await (const student of graphs.students()) {
    const { user, exp, course } = student
    keys.push({ user, exp, course })
    commands += student.commands
  }
  const models = await loadModels(world.files, undefined, log)
  const dice = new Dice(2)
  const answerMs: number[] = []
  for (let answer = 0; answer < answers; answer++) {
    const { user, exp, course } = keys[dice.int(0, keys.length - 1)]!
    const payload = { content: 'all_feedback', graph: 'spinner-cie3-all' }
    const request = readRequest({ user, t: 1, exp, course, type: 'request', payload })
    if (typeof request !== 'object') throw new Error('a request is none')
    const before = performance.now()
    const student = await graphs.student({ user, exp, course })
    const said = request.contents.map((wanted) => JSON.stringify(reply(request, wanted, student, models)))
    answerMs.push(performance.now() - before)
    if (said.length !== 5 || said.includes(undefined as never)) throw new Error('an answer is not whole')
  }
  clearInterval(watch)
  answerMs.sort((a, b) => a - b)
  await graphs.stop()
  await journal.close()
  const at = (share: number): number => answerMs[Math.floor(answerMs.length * share)]!
  const students = keys.length
  const waitMs = delay.max / 1e6
  const answerTimes = { medianMs: at(0.5), p99Ms: at(0.99) }
  console.log(JSON.stringify({ commands, students, readMs, cpuUs: usedUs, waitMs, ...answerTimes, idle, highest }))
}

if (part === 'fill') await fill(Number(first), Number(second), third!)
else if (part === 'read') await read(Number(first), second!)
else for (const [, text] of messages(Number(first), Number(second))) console.log(text)
