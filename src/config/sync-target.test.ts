import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSiteName } from './site-name.ts'
import { parseSyncTarget } from './sync-target.ts'

test('a target names who, where and which folder', () => {
  const directory = '/srv/understudy'
  expect(parseSyncTarget('pi@primary.example:/srv/understudy')).toEqual({
    user: 'pi',
    host: 'primary.example',
    directory
  })
  expect(parseSyncTarget('pi@[::1]:/srv/understudy/')).toEqual({ user: 'pi', host: '::1', directory })
})

test.each([
  'primary.example:/srv',
  'pi@primary.example',
  'pi@primary.example:',
  'pi@primary.example:/',
  'pi@primary.example:srv',
  'pi@primary.example:/srv/../etc',
  'pi@-oProxyCommand=x:/srv',
  '-pi@primary:/srv',
  'pi@primary:/srv"/x',
  'pi@primary:/srv x',
  'pi@primary:/srv\n/x'
])('%j is none', (target) => {
  expect(parseSyncTarget(target)).toBeUndefined()
})

test('whatever is taken means itself in a shell, in authorized_keys and in a unit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (user, directory) => {
      const target = parseSyncTarget(`${user}@host:/${directory}`)
      if (target) expect(`${target.user}${target.directory}`).toMatch(/^[\w./+,-]+$/)
    })
  )
})

test("a machine's name is a plain folder, and not that of the receipts", () => {
  for (const name of ['understudy', 'pi-1', '7.lab_A']) expect(isSiteName(name)).toBe(true)
  for (const name of ['', '.', '..', '.x', '-x', 'a/b', 'a b', 'receipts', 'x'.repeat(65)])
    expect(isSiteName(name)).toBe(false)
})
