import { expect, test } from 'vitest'
import type { Found } from '../config/credentials.ts'
import type { TokenFacts } from '../config/token.ts'
import { validate } from '../config/validate.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { StandingIn } from './standing-in.ts'

function found(scopes: Readonly<Record<string, readonly string[]>>, ...sockets: string[]): Found {
  const facts = { topic: undefined, audience: [], issuedMs: 0, notBeforeMs: 0, expiresMs: 0 }
  const tokens = Object.entries(scopes).map(([stream, some]): [string, TokenFacts] => [
    stream,
    { ...facts, scopes: some }
  ])
  const sources = [
    ...tokens.map(([stream]) => ({ stream, kind: 'code' as const, accessUrl: '', token: '' })),
    ...sockets.map((stream) => ({ stream, kind: 'socket' as const, url: '' }))
  ]
  return { sources, problems: [], tokens: new Map(tokens) }
}

function standingIn(mode: string): { standingIn: StandingIn; told: string[] } {
  const made = validate({ standby: { mode } })
  if (!('config' in made)) throw new Error('the config is wrong')
  const told: string[] = []
  const warn = (fields: { code?: string; stream?: string }): void => void told.push(`${fields.stream} ${fields.code}`)
  const { world } = new Simulation(1).machine('pi')
  const log = { debug() {}, info() {}, warn, error() {} }
  return { standingIn: new StandingIn(world, made.config, { send: () => false }, log), told }
}

test('it answers where the token allows writing, and says once where not', () => {
  const { standingIn: one, told } = standingIn('answer')
  const reading = found({ spin30: ['read'], spin31: ['read', 'write'] }, 'spin32')
  one.take(reading)
  one.take(reading)
  expect(['spin30', 'spin31', 'spin32'].map((stream) => one.answersOn(stream))).toEqual([false, true, true])
  expect(told).toEqual(['spin30 UNDERSTUDY_STANDBY_READ_ONLY'])
  one.take(found({ spin30: ['read', 'write'] }))
  expect(one.answersOn('spin30')).toBe(true)
  one.take(reading)
  expect(told.length).toBe(2)
})

test('who only observes needs no scope, and reads nothing at once', () => {
  const { standingIn: one, told } = standingIn('observe')
  one.take(found({ spin30: ['read'], spin31: ['read', 'write'] }))
  expect([one.answersOn('spin31'), told]).toEqual([false, []])
})
