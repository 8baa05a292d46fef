import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { frame, MemoryJournal, START_US } from '../../../test/support/memory-journal.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import { exportToDirectory } from '../export.ts'
import { envelope } from '../formats/envelope.ts'
import type { FolderFormat } from '../formats/format.ts'
import { lineFiles } from '../formats/line-files.ts'
import { parquet } from '../formats/parquet.ts'
import { primary } from '../formats/primary.ts'
import { raw } from '../formats/raw.ts'
import type { ImportedFrame } from '../import.ts'
import { readKeyFile } from './key-file.ts'
import { ordinaryWords } from './ordinary-words.ts'
import { Privacy, type PrivacyOptions } from './privacy.ts'
import { Pseudonyms } from './pseudonyms.ts'
import { collectUserIds } from './user-ids.ts'

const KEY = Buffer.alloc(32, 'k')

const kinds: Record<string, FolderFormat> = {
  envelope: lineFiles(envelope),
  raw: lineFiles(raw),
  parquet: parquet(),
  primary
}

interface Exported {
  readonly report: Awaited<ReturnType<typeof exportToDirectory>>
  /** Names and contents of all files, decompressed. */
  readonly content: string
}

async function exported(frames: readonly ImportedFrame[], options: PrivacyOptions, kind = 'raw'): Promise<Exported> {
  const simulation = new Simulation(3)
  const world = simulation.machine('pi').world
  const how = { query: {}, format: kinds[kind]!, privacy: new Privacy(options) }
  const report = await simulation.complete(exportToDirectory(world, new MemoryJournal(frames), '/out', how))
  let content = report.files.join('\n')
  for (const name of report.files) {
    const data = await simulation.complete(world.files.readFile(`/out/${name}`))
    content += `\n${data.toString()}`
    if (!name.endsWith('.parquet')) continue
    const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) }
    const rows = await parquetReadObjects({ file: new Uint8Array(data).buffer, compressors })
    content += rows.map((row) => Object.values(row).join('\n')).join('\n')
  }
  return { report, content }
}

async function pseudonymsFor(frames: readonly ImportedFrame[], key = KEY): Promise<Pseudonyms> {
  const ids = await collectUserIds(new MemoryJournal(frames), frames.length + 1, () => {})
  return new Pseudonyms(key, ids, new Set([...ordinaryWords, 'spin30']))
}

const escaped = (text: string): string =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Messages that name users wherever a page could, the last one with every letter of the id escaped. */
function messagesOf(user: string, other: string): string[] {
  const common = { t: START_US / 1000, exp: 'spinner', course: 'cie3', hardware: 'spin30' }
  const command = { ...common, user, type: 'analytics', payload: { log: 'voltage', data: { set: 1 } } }
  const entry = {
    timestamp: 1,
    level: 'info',
    actor: { id: user, course: 'cie3' },
    object: { id: `page/${other}/x`, value: other },
    context: { url: `https://lab.example/?u=${encodeURIComponent(other)}`, [other]: 1, peers: [other, user] }
  }
  return [
    JSON.stringify(command),
    JSON.stringify(entry),
    JSON.stringify({ ...common, username: user, type: 'log', payload: { log: 'x', data: JSON.stringify({ other }) } }),
    JSON.stringify({ user: other, type: 'response', content: { text: `seen with ${user}, and ${other}${user}` } }),
    `{"user":${escaped(user)},"exp":"spinner","type":"log","payload":{"log":"see ${escaped(other).slice(1, -1)}"}}`
  ]
}

const letters = [...'abcdefghijklmnopqrstuvwxyzABCXYZ', 'é', 'ß', '日', '本', '\u{1f600}', '"', '\\', '/', ' ', '-', '_', '.', '@', '%'] // biome-ignore format: a list
const anId = fc
  .array(fc.constantFrom(...letters), { minLength: 6, maxLength: 20 })
  .map((some) => some.join(''))
  // what any export holds, and what a name made by a key may hold
  .filter((id) => /[g-zG-Z]/.test(id) && !/^[\s"\\/._%@-]*$/.test(id))
const someIds = fc.oneof(
  fc.tuple(fc.uuid(), fc.uuid()),
  fc.tuple(anId, anId),
  anId.map((id) => [id, `${id}-x`] as const),
  anId.map((id) => [`x${id}`, id] as const),
  // a spelling of the one takes the beginning of the other
  fc.constant(['aaaan\\', '\\"aaazaa'] as const)
)

describe.each(Object.keys(kinds))('as %s', (kind) => {
  test('no byte of it is an id, wherever the id stood', async () => {
    await fc.assert(
      fc.asyncProperty(someIds, async ([user, other]) => {
        const frames = [...messagesOf(user, other), ...messagesOf(other, user)].map((text) => frame({ text }))
        const { content, report } = await exported(frames, { pseudonyms: await pseudonymsFor(frames) }, kind)
        expect(report.messages).toBe(10)
        for (const id of [user, other]) {
          for (const form of [id, JSON.stringify(id).slice(1, -1), escaped(id).slice(1, -1), encodeURIComponent(id)]) {
            expect(content.includes(form)).toBe(false)
          }
        }
      }),
      { numRuns: 40 }
    )
  })
})

test('joins over two days work, and another key gives other names', async () => {
  const monday = messagesOf('anna-1234', 'ben-5678').map((text) => frame({ text }))
  const tuesday = messagesOf('ben-5678', 'carla-90').map((text) => frame({ text, wallUs: START_US + 1 }))
  const all = [...monday, ...tuesday]
  const users = async (frames: ImportedFrame[], key = KEY): Promise<Set<string>> => {
    const { content } = await exported(frames, { pseudonyms: await pseudonymsFor(all, key) })
    return new Set(content.match(/p[0-9a-f]{32}/g))
  }
  const onTuesday = await users(tuesday)
  const both = [...(await users(monday))].filter((name) => onTuesday.has(name))
  expect(both).toEqual([new Pseudonyms(KEY, []).name('ben-5678')])
  const otherKey = await users(monday, Buffer.alloc(32, 'x'))
  expect([...otherKey].filter((name) => onTuesday.has(name))).toEqual([])
})

test('commands count the same under names', async () => {
  const frames = ['voltage', 'speed', 'speed'].map((log) =>
    frame({
      text: JSON.stringify({
        user: 'spinner',
        exp: 'spinner',
        course: 'cie3',
        hardware: 'spin30',
        type: 'analytics',
        payload: { log }
      })
    })
  )
  const { report, content } = await exported(frames, { pseudonyms: await pseudonymsFor(frames) }, 'primary')
  const name = new Pseudonyms(KEY, []).name('spinner')
  expect(report.files).toEqual([`${name}-spin30-spinner-cie3.json`, `${name}-spinner-cie3-adjacency.csv`])
  expect(content).toContain('voltage_step,0.0,0.0,0.0,0.0,1.0,0.0')
})

test('what people wrote themselves is dropped, unless it is to be kept', async () => {
  const frames = [
    { user: 'anna', type: 'feedback', payload: { state: 'Curious', subject: 'UI', input: 'secret' } },
    { user: 'anna', type: 'log', payload: { log: 'survey', data: { question: 'why', answer: 'secret' } } },
    { user: 'anna', type: 'log', payload: { log: 'survey', answers: ['secret'] } }
  ].map((message) => frame({ text: JSON.stringify(message) }))
  const pseudonyms = await pseudonymsFor(frames)
  const { content } = await exported(frames, { pseudonyms })
  expect(content).not.toContain('secret')
  expect(content).toContain('"question":"why"')
  expect((await exported(frames, { pseudonyms, keepText: true })).content.match(/secret/g)).toHaveLength(3)
})

test('only some users, or all but some', async () => {
  const frames = [
    frame({ text: '{"user":"anna","a": 1}{"user":"ben"}{"none":1}junk' }),
    frame({ text: '{"actor":{"id":"anna"}}' })
  ]
  const only = await exported(frames, { onlyUsers: new Set(['anna']) })
  expect(only.content).toBe('spin30.jsonl\n{"user":"anna","a": 1}\n{"actor":{"id":"anna"}}\n')
  expect(only.report).toMatchObject({ frames: 2, filtered: 2, unsearchable: 1 })
  const without = await exported(frames, { withoutUsers: new Set(['anna']) })
  expect(without.content).toBe('spin30.jsonl\n{"user":"ben"}\n{"none":1}\n')
})

test('nothing that JSON can say makes it fail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.json(), fc.constant('{"user":{"id":[{"name":"anna"}]}}'))), async (texts) => {
      const frames = texts.map((text) => frame({ text }))
      await exported(frames, { pseudonyms: await pseudonymsFor(frames) }, 'envelope')
    }),
    { numRuns: 40 }
  )
  const deep = [frame({ text: `${'[{"a":'.repeat(5000)}1${'}]'.repeat(5000)}` })]
  const { report } = await exported(deep, { pseudonyms: await pseudonymsFor(deep) })
  expect(report).toMatchObject({ messages: 0, unsearchable: 1 })
})

describe('a key file', () => {
  async function read(content: string | undefined, mode = 0o600): Promise<Buffer> {
    const simulation = new Simulation(3)
    const { files } = simulation.machine('pi').world
    if (content !== undefined) await simulation.complete(files.writeFile('/key', content, mode))
    return simulation.complete(readKeyFile(files, '/key'))
  }

  test('is read without its line break', async () => {
    expect((await read(`${'k'.repeat(40)}\n`)).length).toBe(40)
  })

  test.each([
    ['missing', undefined, 0o600],
    ['too short', `${'k'.repeat(31)}\n`, 0o600],
    ['readable by others', 'k'.repeat(40), 0o644],
    ['readable by the group', 'k'.repeat(40), 0o640]
  ])('that is %s is refused', async (_, content, mode) => {
    await expect(read(content, mode)).rejects.toMatchObject({ code: 'UNDERSTUDY_KEY_FILE' })
  })
})
