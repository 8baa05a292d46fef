import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { packTar, type TarEntry } from 'modern-tar'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadCommands } from '../cli/program.ts'
import { UnderstudyError } from '../errors.ts'
import { readArchive } from './archive.ts'
import { BOOT, DAY_S, FreshPi, LINE, TO } from './fixtures.ts'

await loadCommands()

let pi: FreshPi

beforeEach(() => {
  pi = new FreshPi()
})

function file(name: string, content: string): TarEntry {
  return { header: { name, size: Buffer.byteLength(content), type: 'file' }, body: content }
}

/** The pair of a stream as entries below a folder, and the rest of what the old `configure` packs. */
function entriesOf(stream: string, folder = 'etc/practable/'): TarEntry[] {
  const { accessFile, tokenFile } = pi.pairOf(stream)
  return [accessFile, tokenFile].map(({ name, content }) => file(`${folder}${name}`, content))
}

const others = [file('etc/systemd/system/log-spin30.service', '[Unit]\n'), file('connect.sh', '#!/bin/sh\nrm -rf /\n')]

describe('the tar of the old set-up', () => {
  test.each(['lab.tar', 'lab.tar.gz', 'practable/LAB.TGZ'])(
    '%s is taken in and removed, its units and scripts ignored',
    async (name) => {
      const tar = await packTar([...others, ...entriesOf('spin30'), ...entriesOf('spin31', './')])
      await pi.put(`${BOOT}/${name}`, /gz$/i.test(name) ? gzipSync(tar) : tar)
      expect(await pi.sh(LINE)).toMatchObject({ code: 0, out: expect.stringContaining('2 streams can be recorded') })
      expect(await pi.names(BOOT)).not.toContain(name)
      expect(await pi.names(`${TO}/credentials`)).toHaveLength(4)
      expect(await pi.report()).toContain(`${name}: log.token.spin30`)
    }
  )

  test('stays where it is when something in it is not in place', async () => {
    const expired = pi.pairOf('spin31', { expiresInS: -DAY_S })
    const bad = [expired.accessFile, expired.tokenFile].map(({ name, content }) => file(name, content))
    await pi.put(`${BOOT}/lab.tar`, await packTar([...entriesOf('spin30'), ...bad]))
    const { code, out } = await pi.sh(LINE)
    expect(code).toBe(0)
    expect(out).toContain('lab.tar: log.token.spin31: it expired on 2026-11-01')
    expect(await pi.names(BOOT)).toEqual(['lab.tar', 'understudy-report.txt'])
    expect(await pi.names(`${TO}/credentials`)).toEqual(['log.access.spin30', 'log.token.spin30'])
  })

  test('that is cut off or damaged is told, and nothing of it is taken', async () => {
    const tar = await packTar(entriesOf('spin30'))
    const damaged = Buffer.from(tar)
    damaged[3]! ^= 1
    for (const bytes of [tar.subarray(0, 700), gzipSync(tar).subarray(0, 200), damaged, Buffer.from('not a tar')]) {
      await pi.put(`${BOOT}/lab.tar`, bytes)
      const { code, out } = await pi.sh(LINE)
      expect([code, out]).toEqual([
        1,
        expect.stringContaining('UNDERSTUDY_PROVISION_ARCHIVE: /boot/firmware: lab.tar: ')
      ])
      expect(await pi.names(BOOT)).toContain('lab.tar')
    }
  })

  test('that would be larger than any such is not unpacked', async () => {
    const tar = await packTar([file('log.token.spin30', 'x'.repeat(20e6))])
    await pi.put(`${BOOT}/lab.tar.gz`, gzipSync(tar))
    expect((await pi.sh(LINE)).out).toContain('UNDERSTUDY_PROVISION_ARCHIVE')
  })

  test('holds links and devices: they are passed over', async () => {
    const { name, content } = pi.pairOf('spin30').tokenFile
    const link: TarEntry = { header: { name: 'log.access.spin30', size: 0, type: 'symlink', linkname: '/etc/shadow' } }
    await pi.put(`${BOOT}/lab.tar`, await packTar([link, file(name, content)]))
    expect((await pi.sh(LINE)).out).toContain('its log.access file is missing')
  })
})

/** Every path below the root, with the folders of the system and of the test left out. */
async function everything(): Promise<string[]> {
  const found: string[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const { name, kind } of await pi.simulation.complete(pi.files.list(folder || '/'))) {
      if (kind === 'directory') await walk(`${folder}/${name}`)
      else found.push(`${folder}/${name}`)
    }
  }
  await walk('')
  return found.sort()
}

test('whatever the names in a tar are, nothing is written but credentials of plain names', async () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '',
    '/',
    '\\',
    'C:',
    'etc',
    'log.token.spin30',
    'log.access.../../x',
    'log.token.a/b',
    '\0'
  )
  const ending = fc.oneof(
    fc.constantFrom('log.token.spin30', 'log.access.spin30', 'log.token.', 'log.access...'),
    fc.string()
  )
  const name = fc
    .tuple(fc.array(part, { maxLength: 5 }), ending)
    .map(([parts, end]) => [...parts, `log.token.${end}`].join('/'))
  let taken = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(name, ending), { minLength: 1, maxLength: 6 }), async (entryNames) => {
      pi = new FreshPi()
      const { accessFile, tokenFile } = pi.pairOf('spin30')
      const entries = entryNames.map((one) =>
        file(one, one.includes('access') ? accessFile.content : tokenFile.content)
      )
      await pi.put(`${BOOT}/lab.tar`, await packTar(entries))
      const { err } = await pi.sh(LINE)
      expect(err).toBe('')
      for (const path of await everything()) {
        expect(path).toMatch(
          /^\/(boot\/firmware\/(lab\.tar|understudy-report\.txt)|var\/lib\/understudy\/(sync\/id_ed25519(-receipts)?|status-password(\.scrypt)?|provision\/(state\.json|understudy\.toml|credentials\/log\.(access|token)\.[A-Za-z0-9_-]{1,64})))$/
        )
        taken += Number(path.includes('/credentials/'))
      }
    }),
    { numRuns: 300 }
  )
  expect(taken).toBeGreaterThan(10)
})

test('whatever is done to a tar, what is read of it are files, or it is one coded error', async () => {
  const tar = Buffer.from(
    await packTar([...entriesOf('spin30'), ...others, ...entriesOf('spin31', `${'long/'.repeat(40)}`)])
  )
  const mutation = fc.record({ at: fc.nat(tar.length - 1), put: fc.uint8Array({ minLength: 1, maxLength: 12 }) })
  const came = { files: 0, errors: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { maxLength: 4 }),
      fc.nat(tar.length),
      fc.boolean(),
      async (mutations, end, cut) => {
        const bytes = Buffer.from(cut ? tar.subarray(0, end) : tar)
        for (const { at, put } of mutations) if (at < bytes.length) bytes.set(put.subarray(0, bytes.length - at), at)
        try {
          const files = await readArchive(bytes, () => true)
          came.files++
          for (const { name } of files) expect(name).not.toMatch(/[/\\]/)
        } catch (error) {
          expect(error).toBeInstanceOf(UnderstudyError)
          came.errors++
        }
      }
    ),
    { numRuns: 3000 }
  )
  expect(Math.min(came.files, came.errors)).toBeGreaterThan(100)
}, 120_000)
