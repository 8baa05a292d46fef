/**
 * Trains a zstd dictionary for the journal's blocks on what simulated students send, and prints it as a module:
 *
 *   node scripts/train-dictionary.ts NUMBER > src/journal/dictionary-NUMBER.ts
 *
 * Needs the program zstd. A number that has been released is never trained again: stores refer to it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeBody } from '../src/journal/body.ts'
import type { Frame } from '../src/journal/entry.ts'
import { messages, spinners } from '../src/sim/students/generate.ts'

const SAMPLES = 20_000
const MOST_IN_A_COMMIT = 6
const DICTIONARY_BYTES = 16 * 1024

const number = Number(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'understudy-dictionary-'))
try {
  const streams = [...spinners(12), 'pend10', 'pend11']
  const sent = messages({ seed: number, streams, count: SAMPLES * MOST_IN_A_COMMIT })
  const samples = Array.from({ length: SAMPLES }, (_, index) => {
    const path = join(folder, String(index))
    writeFileSync(path, sample(index, 1 + (index % MOST_IN_A_COMMIT)))
    return path
  })
  const file = join(folder, 'dictionary')
  writeFileSync(join(folder, 'list'), samples.join('\n'))
  execFileSync('zstd', [
    '-q',
    '--train',
    '--filelist',
    join(folder, 'list'),
    `--maxdict=${DICTIONARY_BYTES}`,
    `--dictID=${number}`,
    '-o',
    file
  ])
  const lines =
    readFileSync(file)
      .toString('base64')
      .match(/.{1,110}/g) ?? []
  console.log('/** Made by scripts/train-dictionary.ts. Stores refer to it: it must never change. */')
  console.log(`export const dictionary${number} = Buffer.from(`)
  console.log(lines.map((line) => `  '${line}'`).join(' +\n'))
  console.log(",\n  'base64'\n)")

  /** A commit's body as the journal would write it. */
  function sample(index: number, count: number): Buffer {
    const entries = Array.from({ length: count }, (): Frame => {
      const { value } = sent.next()
      const { stream, tMs, text } = value!
      const monoUs = tMs * 1000 - 1_793_000_000_000_000 + 137 * index
      return {
        kind: 'frame',
        position: index,
        stream,
        seq: index + 1,
        wallUs: tMs * 1000,
        monoUs,
        boot: crypto.randomUUID(),
        source: 'ntp',
        origin: 'relay',
        binary: false,
        payload: Buffer.from(text)
      }
    })
    return writeBody([{ salt: Buffer.from(crypto.getRandomValues(new Uint8Array(16))), entries }])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
