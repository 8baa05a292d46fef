import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explain } from '../errors.ts'
import { credentialFiles } from '../sim/relay/credentials.ts'
import { type Found, readCredentials } from './credentials.ts'
import { Pi } from './pi.test-help.ts'

const folder = '/etc/practable'
const spin30 = credentialFiles('spin30', {
  secret: 'secret',
  audience: 'https://relay.example',
  nowMs: Date.UTC(2026, 10, 2)
})
const { accessUrl, token } = spin30
const source = { stream: 'spin30', kind: 'code', accessUrl, token }

async function read(contents: Record<string, string | Uint8Array>, wanted = (_: string) => true): Promise<Found> {
  const pi = new Pi()
  for (const [name, content] of Object.entries(contents)) await pi.put(`${folder}/${name}`, content)
  return readCredentials(pi.world.files, folder, wanted)
}

test('a pair of files is a source', async () => {
  const { sources, problems, tokens } = await read({ 'log.access.spin30': accessUrl, 'log.token.spin30': token })
  expect(sources).toEqual([source])
  expect(problems).toEqual([])
  expect(tokens.get('spin30')?.topic).toBe('spin30-log')
})

test.each([
  ['white space', (text: string) => `\n  ${text} \t\n\n`],
  ['Windows line ends', (text: string) => `${text}\r\n`],
  ['a byte order mark', (text: string) => `\uFEFF${text}`]
])('%s around the contents is no matter', async (_, around) => {
  const found = await read({ 'log.access.spin30': around(accessUrl), 'log.token.spin30': around(token) })
  expect(found).toMatchObject({ sources: [source], problems: [] })
})

test('the name is what follows the last dot, and streams come in order', async () => {
  const { sources } = await read({
    'log.access.lab.spin31': accessUrl,
    'log.token.lab.spin31': token,
    'log.access.spin30': accessUrl,
    'log.token.spin30': token,
    'other.file': 'x',
    'log.accessible': 'x'
  })
  expect(sources.map(({ stream }) => stream)).toEqual(['spin30', 'spin31'])
})

test('a token after "Bearer" is taken without it, with a warning', async () => {
  const found = await read({ 'log.access.spin30': accessUrl, 'log.token.spin30': `Bearer ${token}` })
  expect(found.sources).toEqual([source])
  expect(found.problems).toMatchObject([{ stream: 'spin30', severity: 'warning' }])
})

test('what is not wanted is left alone, good or bad', async () => {
  const bad = { 'log.access.spin31': 'x', 'log.access.spin30': accessUrl, 'log.token.spin30': token }
  expect(await read(bad, (stream) => stream === 'spin30')).toMatchObject({ sources: [source], problems: [] })
})

describe('a bad pair is a problem and stops no other', () => {
  const good = { 'log.access.spin31': accessUrl, 'log.token.spin31': token }
  test.each<[string, Record<string, string | Uint8Array>, string, string]>([
    ['no token', { 'log.access.spin30': accessUrl }, 'CREDENTIALS_INVALID', 'log.token.spin30: it is missing'],
    ['no access', { 'log.token.spin30': token }, 'CREDENTIALS_INVALID', 'log.access.spin30: it is missing'],
    [
      'empty',
      { 'log.access.spin30': ' \n', 'log.token.spin30': token },
      'CREDENTIALS_INVALID',
      'log.access.spin30: it is empty'
    ],
    [
      'several lines',
      { 'log.access.spin30': accessUrl, 'log.token.spin30': `${token}\n${token}` },
      'CREDENTIALS_INVALID',
      'log.token.spin30: it has several lines, expected one'
    ],
    [
      'no URL',
      { 'log.access.spin30': 'relay.example', 'log.token.spin30': token },
      'CREDENTIALS_INVALID',
      'log.access.spin30: it holds something else than an http or https URL'
    ],
    [
      'UTF-16',
      { 'log.access.spin30': accessUrl, 'log.token.spin30': Buffer.from(`\uFEFF${token}`, 'utf16le') },
      'CREDENTIALS_INVALID',
      'log.token.spin30: it is not UTF-8 text'
    ],
    [
      'large',
      { 'log.access.spin30': accessUrl, 'log.token.spin30': Buffer.alloc(65_537, 'a') },
      'CREDENTIALS_INVALID',
      'log.token.spin30: it is larger than 65536 bytes'
    ],
    [
      'twice',
      { 'log.access.spin30': accessUrl, 'log.token.spin30': token, 'log.token.x.spin30': token },
      'CREDENTIALS_INVALID',
      'log.token.spin30: several files are for this stream'
    ],
    ['no JWT', { 'log.access.spin30': accessUrl, 'log.token.spin30': 'x' }, 'TOKEN_INVALID', 'it is not a JWT']
  ])('%s', async (_, contents, code, detail) => {
    const { sources, problems, tokens } = await read({ ...contents, ...good })
    expect(sources.map(({ stream }) => stream)).toEqual(['spin31'])
    expect([...tokens.keys()]).toEqual(['spin31'])
    expect(problems).toEqual([{ stream: 'spin30', severity: 'error', code: `UNDERSTUDY_${code}`, detail }])
  })

  test.each(['log.token.', 'log.token.a b', 'log.token.spin30~', `log.token.${'a'.repeat(65)}`])(
    'name %j',
    async (name) => {
      const { sources, problems } = await read({ [name]: token, ...good })
      expect(sources.map(({ stream }) => stream)).toEqual(['spin31'])
      expect(problems).toMatchObject([{ stream: undefined, severity: 'error', code: 'UNDERSTUDY_BAD_STREAM_NAME' }])
    }
  )
})

test('a folder that cannot be read is a coded error', async () => {
  await expect(read({})).rejects.toMatchObject({
    code: 'UNDERSTUDY_CREDENTIALS_UNREADABLE',
    detail: '/etc/practable: ENOENT'
  })
})

test('ten thousand mutated pairs: a source, or one problem that shows none of it', async () => {
  const mutated = (text: string) =>
    fc
      .array(
        fc.record({
          at: fc.nat(text.length),
          cut: fc.nat(3),
          put: fc.oneof(
            fc.uint8Array({ maxLength: 2 }),
            fc.constantFrom(...['\n', ' ', '.', '\uFEFF', '\0', 'Bearer ']).map((s) => Buffer.from(s))
          )
        }),
        { maxLength: 3 }
      )
      .map((mutations) =>
        mutations.reduce<Buffer>(
          (bytes, { at, cut, put }) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
          Buffer.from(text)
        )
      )
  let good = 0
  await fc.assert(
    fc.asyncProperty(mutated(accessUrl), mutated(token), async (access, issued) => {
      const { sources, problems, tokens } = await read({ 'log.access.spin30': access, 'log.token.spin30': issued })
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(sources.length + errors.length).toBe(1)
      expect(tokens.size).toBe(sources.length)
      good += sources.length
      for (const { code, detail } of problems) {
        expect(explain(code)).toBeDefined()
        expect(detail).not.toMatch(/eyJ|relay\.example/)
      }
      for (const found of sources)
        expect(found).toMatchObject({ kind: 'code', token: expect.stringMatching(/^[\w.-]+$/) })
    }),
    { numRuns: 10_000 }
  )
  expect(good).toBeGreaterThan(500)
  expect(good).toBeLessThan(9500)
})
