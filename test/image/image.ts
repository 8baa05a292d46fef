import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const project = new URL('../../', import.meta.url).pathname
/** What scripts/bundle.mjs ships, and what makes it. */
const inputs = [
  'pi-image',
  'systemd',
  'src',
  'bin',
  'docs',
  'comparison_graphs',
  'scripts',
  'package.json',
  'package-lock.json'
]

/**
 * The image of this checkout, made if there is none: UNDERSTUDY_IMAGE names one (.img.zst), otherwise it is kept in
 * UNDERSTUDY_CACHE (~/.cache/understudy) until something changes of what it is made of.
 */
export function imageFile(): string {
  const given = process.env['UNDERSTUDY_IMAGE']
  if (given !== undefined) return given
  const cache = process.env['UNDERSTUDY_CACHE'] ?? join(homedir(), '.cache/understudy')
  const folder = join(cache, `pi-image-${madeOf()}`)
  if (!existsSync(join(folder, 'whole'))) {
    for (const old of existsSync(cache) ? readdirSync(cache) : []) {
      if (old.startsWith('pi-image-')) rmSync(join(cache, old), { recursive: true })
    }
    const { status } = spawnSync(
      'sh',
      ['-c', '"$0" "$1" >&2 && touch "$1/whole"', `${project}pi-image/build`, folder],
      {
        stdio: 'inherit'
      }
    )
    if (status !== 0) throw new Error('pi-image/build failed')
  }
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.img.zst'))!)
}

/** A hash over all files that go into an image, as they lie here. */
function madeOf(): string {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...inputs], {
    cwd: project,
    encoding: 'utf8'
  })
  const hash = createHash('sha256')
  for (const path of list.split('\0').filter((one) => one !== '' && existsSync(project + one))) {
    hash.update(`${path}\0`).update(readFileSync(project + path))
  }
  return hash.digest('hex').slice(0, 16)
}
