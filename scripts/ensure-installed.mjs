/**
 * Installs the project's packages when they are missing or out of date, and does nothing otherwise. Runs before
 * `npm start` and `npm test`, under whatever Node started npm (18 or later): plain JavaScript, no packages.
 *
 * What is installed is remembered as a hash in node_modules/.understudy-installed. All it says goes to stderr.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.understudy-installed')
const lock = join(root, '.install.lock')

/** Of all that decides what `npm ci` installs; a changed script or description is no reason to install again. */
function fingerprint() {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(join(root, 'package.json')))
  const wanted = JSON.stringify({ dependencies, devDependencies, optionalDependencies })
  return createHash('sha256')
    .update([wanted, read(join(root, 'package-lock.json')), process.platform, process.arch].join('\n'))
    .digest('hex')
}

/** A file's text, empty when there is none. */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''
    throw error
  }
}

function say(line) {
  process.stderr.write(`understudy: ${line}\n`)
}

function alive(pid) {
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Runs `work` while no other process does, waiting for one that does. The lock of a process that died is taken over. */
function locked(work) {
  const mine = `${lock}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let told = false; !taken(mine); ) {
      const holder = read(lock)
      if (holder !== '' && !alive(holder)) {
        dropStale(holder)
      } else {
        if (!told) say(`waiting for another installation (process ${holder}; if there is none, remove ${lock})`)
        told = true
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      }
    }
  } finally {
    rmSync(mine, { force: true })
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Linking a finished file makes the lock and its content appear at once. */
function taken(mine) {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function dropStale(holder) {
  const aside = `${lock}.stale.${process.pid}`
  try {
    renameSync(lock, aside)
    // Somebody may have been quicker, and this is already the lock of a living one.
    if (read(aside) !== holder) linkSync(aside, lock)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Gives an exit code. */
function install() {
  say('installing packages, Node 24 among them (once, about 10 s)…')
  // npm ci removes the Node that npm has put first in PATH, under its own feet.
  const bin = join(modules, '.bin')
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => resolve(entry) !== bin)
  const options = ['--include=dev', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const { status, error } = spawnSync('npm', ['ci', ...options], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (error?.code === 'ENOENT') {
    say('npm was not found: install Node 20 or later with npm (on Debian: apt-get install npm), then try again')
    return 1
  }
  if (status !== 0) {
    say(`the packages could not be installed: npm ci ended with ${error?.message ?? status ?? 'a signal'}, see above`)
    return status || 1
  }
  mkdirSync(modules, { recursive: true })
  writeFileSync(stamp, fingerprint())
  return 0
}

const current = () => read(stamp) === fingerprint()
if (!current()) process.exitCode = locked(() => (current() ? 0 : install()))
