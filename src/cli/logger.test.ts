import { expect, test } from 'vitest'
import { UnderstudyError } from '../errors.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { createLogger } from './logger.ts'

function logged(priorities: boolean): { log: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = []
  const { clock } = new Simulation(1).machine('pi')
  const log = createLogger({ level: 'info', priorities, clock, write: (line) => void lines.push(line) })
  return { log, lines }
}

test('an event is a line of JSON, by the clock it was given', () => {
  const { log, lines } = logged(false)
  log.info({ stream: 'spin30' }, 'heard')
  log.debug({}, 'too small')
  expect(lines).toEqual(['{"level":"info","time":"2026-11-02T08:00:00.000Z","stream":"spin30","msg":"heard"}\n'])
})

test('journald is told how much each line matters', () => {
  const { log, lines } = logged(true)
  log.error({}, 'a')
  log.warn({}, 'b')
  log.info({}, 'c')
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['<3>{', '<4>{', '<6>{'])
})

test('an error that may quote what it failed on keeps its text to itself', () => {
  const { log, lines } = logged(false)
  let cause: unknown
  try {
    JSON.parse('secret')
  } catch (error) {
    cause = error
  }
  log.error({ err: new UnderstudyError('UNDERSTUDY_INTERNAL', 'here', { cause }) }, 'failed')
  expect(lines[0]).not.toContain('secret')
  expect(JSON.parse(lines[0]!).err).toMatchObject({
    code: 'UNDERSTUDY_INTERNAL',
    message: expect.stringContaining('here'),
    cause: { name: 'SyntaxError' }
  })
})
