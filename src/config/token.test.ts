import { describe, expect, test } from 'vitest'
import { type Claims, issueToken } from '../sim/relay/credentials.ts'
import { expiryWarning, readToken } from './token.ts'

const nowMs = Date.UTC(2026, 10, 2)
const dayMs = 86_400_000

function issue(claims: Claims = {}): string {
  return issueToken({ secret: 'secret', audience: 'https://relay.example', topic: 'spin30-log', nowMs, claims })
}

test('a token says what it is for and until when', () => {
  expect(readToken(issue())).toEqual({
    topic: 'spin30-log',
    audience: ['https://relay.example'],
    scopes: ['read', 'write'],
    issuedMs: nowMs - 1000,
    notBeforeMs: nowMs - 1000,
    expiresMs: nowMs + 365 * dayMs
  })
})

test('one that has expired is read as well', () => {
  expect(readToken(issue({ exp: 1 })).expiresMs).toBe(1000)
})

describe('what is no good', () => {
  test.each<[Claims, string]>([
    [{ exp: undefined }, 'it lacks exp, on which the relay crashes'],
    [{ exp: undefined, iat: undefined, nbf: undefined }, 'it lacks exp, iat, nbf, on which the relay crashes'],
    [{ exp: 1e300 }, 'its exp, iat and nbf are not all times'],
    [{ nbf: '1' as unknown as number }, 'its exp, iat and nbf are not all times']
  ])('claims %j', (claims, detail) => {
    expect(() => readToken(issue(claims))).toThrow(
      expect.objectContaining({ code: 'UNDERSTUDY_TOKEN_INVALID', detail })
    )
  })

  test.each<Claims>([{ scopes: ['write'] }, { scopes: undefined }, { scopes: 'readwrite' }, { scopes: [] }])(
    'no read scope: %j',
    (claims) => {
      expect(() => readToken(issue(claims))).toThrow(expect.objectContaining({ code: 'UNDERSTUDY_TOKEN_SCOPE' }))
    }
  )

  const encoded = (text: string) => Buffer.from(text).toString('base64url')
  test.each([
    '',
    'hunter2',
    'a.b.c',
    `${encoded('{"typ":"JWT"}')}.${encoded('{hunter2')}.x`,
    `${encoded('{"typ":"JWT"}')}.${encoded('["hunter2"]')}.x`,
    `${encoded('{}')}.${encoded('null')}.x`,
    `${issue()}\r\nX-Header: hunter2`
  ])('%j is not a JWT, and is not shown', (token) => {
    const attempt = () => readToken(token)
    expect(attempt).toThrow(expect.objectContaining({ code: 'UNDERSTUDY_TOKEN_INVALID', detail: 'it is not a JWT' }))
    // A cause could quote it.
    expect(attempt).not.toThrow(expect.objectContaining({ cause: expect.anything() }))
  })
})

test.each([
  [31 * dayMs, undefined],
  [31 * dayMs - 1, { daysLeft: 30 }],
  [dayMs / 2, { daysLeft: 0 }],
  [-1, { daysLeft: -1 }]
])('%i ms before its end the warning is %j', (leftMs, warning) => {
  const facts = readToken(issue())
  expect(expiryWarning(facts, facts.expiresMs - leftMs)).toEqual(warning)
})
