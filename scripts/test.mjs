/**
 * What `npm test` and `npm run test:full` run: the checks, then every suite, then one summary whose last line is
 * `N passed, N failed` (`, N skipped` when there are any).
 *
 * `--full` repeats as often as the project promises (UNDERSTUDY_FULL=1), otherwise a fifth of that. A suite that lacks a
 * program is skipped with a word on how to get it; in CI (CI=true) it fails.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const ci = process.env.CI === 'true'
const full = process.argv.includes('--full')
const bin = join(root, 'node_modules/.bin')
const path = [bin, process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)
const env = { ...process.env, PATH: path, ...(full && { UNDERSTUDY_FULL: '1' }) }

const checks = [
  ['types', 'tsc', '--noEmit'],
  ['lint', 'biome', 'ci', '--error-on-warnings', '.'],
  ['dead code', 'knip']
]

/** What it takes to have a disk of one's own. */
const loopDisks = { mke2fs: 'e2fsprogs', mount: 'mount', losetup: 'mount', findmnt: 'util-linux' }

/** What it takes to hand something over to a primary. */
const handingOver = { rsync: 'rsync', rrsync: 'rsync', sshd: 'openssh-server', ssh: 'openssh-client' }

/** What it takes to have a machine of one's own, under a systemd of its own. */
const ownMachine = { 'systemd-analyze': 'systemd', 'systemd-nspawn': 'systemd-container', 'dbus-daemon': 'dbus' }

/** What it takes to make an image for a Pi, and to start it. */
const emulating = {
  mmdebstrap: 'mmdebstrap',
  'qemu-system-aarch64': 'qemu-system-arm',
  'arch-test': 'arch-test',
  mcopy: 'mtools',
  'mkfs.vfat': 'dosfstools',
  sfdisk: 'fdisk',
  zstd: 'zstd'
}

/**
 * The programs a suite cannot do without, each with the Debian package that has it; `root` where it must be root; `onlyFull`
 * where it is too much for every day.
 */
const suites = [
  { name: 'unit', needs: {} },
  { name: 'relay', needs: {} },
  { name: 'standby', needs: {} },
  { name: 'kill', needs: {} },
  { name: 'damage', needs: {} },
  { name: 'simulate', needs: { git: 'git' } },
  { name: 'power', needs: loopDisks, root: true },
  { name: 'disk', needs: loopDisks, root: true },
  { name: 'health', needs: { ...loopDisks, ...handingOver, python3: 'python3' }, root: true },
  { name: 'formats', needs: { python3: 'python3-venv' } },
  { name: 'captures', needs: { zstd: 'zstd', jq: 'jq' } },
  { name: 'sync', needs: { ...handingOver, flock: 'util-linux' } },
  { name: 'page', needs: { chromium: 'chromium', python3: 'python3' } },
  { name: 'systemd', needs: { ...ownMachine, ...handingOver, nsenter: 'util-linux', python3: 'python3' }, root: true },
  { name: 'bench', needs: { python3: 'python3-venv', zstd: 'zstd', jq: 'jq' } },
  { name: 'image', needs: { ...loopDisks, ...handingOver, ...emulating }, root: true, onlyFull: true }
]

const total = { passed: 0, failed: 0, skipped: 0 }
const notes = []

/** A run's failure that no single test stands for. */
function fail(note) {
  total.failed += 1
  notes.push(`FAILED   ${note}`)
}

/** Asked of a program, so that a test can answer. */
const isRoot = spawnSync('id', ['-u'], { env, encoding: 'utf8' }).stdout?.trim() === '0'

function run(command, args) {
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status === 0
}

function has(program) {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function check([title, command, ...args]) {
  console.log(`\n== ${title}`)
  if (!run(command, args)) fail(`${title}: ${[command, ...args].join(' ')}`)
}

/** A suite that cannot run here. */
function lack(note) {
  if (ci) return fail(note)
  total.skipped += 1
  notes.push(`skipped  ${note}`)
}

function runSuite(suite, results) {
  console.log(`\n== ${suite.name}`)
  const missing = Object.entries(suite.needs).filter(([program]) => !has(program))
  if (missing.length > 0) {
    const programs = missing.map(([program]) => program).join(', ')
    const note = `${suite.name}: needs ${programs} (apt-get install ${missing.map(([, name]) => name).join(' ')})`
    return lack(note)
  }
  if (suite.root && !isRoot) return lack(`${suite.name}: needs to be root, for disks or a machine of its own`)
  const file = join(results, `${suite.name}.json`)
  const output = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const ok = run('vitest', ['run', '--project', suite.name, ...output])
  count(suite.name, ok, file)
}

function count(name, ok, file) {
  let result
  try {
    result = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return ok || fail(`${name}: ended without results`)
  }
  total.passed += result.numPassedTests
  total.failed += result.numFailedTests
  total.skipped += result.numPendingTests + result.numTodoTests
  const tests = result.testResults.flatMap((testFile) => testFile.assertionResults)
  for (const { status, fullName, failureMessages } of tests) {
    if (status === 'failed') notes.push(`FAILED   ${name}: ${fullName}\n${firstLines(failureMessages)}`)
    if (status === 'pending' || status === 'skipped') notes.push(`skipped  ${name}: ${fullName}`)
  }
  if (!ok && result.numFailedTests === 0) fail(`${name}: vitest failed outside its tests`)
}

/** Why it failed, for where only the end of a long output is kept. */
function firstLines(messages) {
  const lines = messages.flatMap((message) => message.split('\n').filter((line) => !line.includes('node_modules')))
  return lines
    .slice(0, 12)
    .map((line) => `           ${line.slice(0, 200)}`)
    .join('\n')
}

const results = mkdtempSync(join(tmpdir(), 'understudy-test-'))
try {
  for (const one of checks) check(one)
  for (const suite of suites) if (full || !suite.onlyFull) runSuite(suite, results)
} finally {
  rmSync(results, { recursive: true, force: true })
}

if (!process.env.UNDERSTUDY_RELAY_BIN)
  notes.push('note     relay: ran against the simulated relay only; UNDERSTUDY_RELAY_BIN names a real one')
if (!full) notes.push('note     repeated a fifth as often as `npm run test:full` does, and without image')

console.log(`\n== summary\n${notes.join('\n')}\n`)
const counts = [`${total.passed} passed`, `${total.failed} failed`]
if (total.skipped > 0) counts.push(`${total.skipped} skipped`)
console.log(counts.join(', '))
process.exitCode = total.failed > 0 ? 1 : 0
