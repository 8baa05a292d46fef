/**
 * Puts together what is shipped: `node scripts/bundle.mjs TARGET [x64|arm64]` makes the folder TARGET with the compiled
 * program, the packages it needs when it runs, a Node of its own (node/bin/node), the units and the scripts that install
 * them; for that processor, or this machine's. Plain JavaScript, for Node 20 or later.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [target, arch = process.arch] = process.argv.slice(2)

/** What packages bring along for those who develop with them. */
const furtherFolders = ['.github', 'benchmark', 'benchmarks', 'doc', 'docs', 'example', 'examples', 'test', 'tests']
const furtherFiles = /\.(d\.[cm]?ts|ts|map|md|markdown|cc|gyp)$/

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status === 0) return
  console.error(`understudy: ${[command, ...args].join(' ')} ended with ${error?.message ?? status ?? 'a signal'}`)
  process.exit(1)
}

function copyProgram() {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const scripts = ['scripts/install.sh', 'scripts/uninstall.sh']
  const shipped = [...files, 'docs', 'systemd', 'LICENSE', 'package.json', 'package-lock.json', ...scripts]
  for (const name of shipped) cpSync(join(root, name), join(target, name), { recursive: true })
}

function installPackages() {
  const platform = ['--os=linux', `--cpu=${arch}`, '--libc=glibc']
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  // None of them needs a script of its own: all that is compiled comes ready made.
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', ...platform, ...quiet], resolve(target))
  rmSync(join(target, 'package-lock.json'))
}

function setNodeApart() {
  const node = join(target, `node_modules/node-linux-${arch}`)
  mkdirSync(join(target, 'node/bin'), { recursive: true })
  renameSync(join(node, 'bin/node'), join(target, 'node/bin/node'))
  renameSync(join(node, 'LICENSE'), join(target, 'node/LICENSE'))
  rmSync(node, { recursive: true })
}

function removeWhatIsForDevelopers() {
  const modules = join(target, 'node_modules')
  // A package that only mentions the compiler brings it along.
  for (const name of ['.bin', 'typescript', '@typescript']) rmSync(join(modules, name), { recursive: true })
  const isPackage = (folder) => existsSync(join(folder, 'package.json'))
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const isFurther = entry.isDirectory()
      ? furtherFolders.includes(entry.name) && isPackage(entry.parentPath)
      : furtherFiles.test(entry.name)
    if (isFurther) rmSync(path, { recursive: true, force: true })
  }
  rmSync(join(modules, 'classic-level/deps'), { recursive: true })
  const prebuilds = join(modules, 'classic-level/prebuilds')
  for (const name of readdirSync(prebuilds)) {
    if (name !== `linux-${arch}`) rmSync(join(prebuilds, name), { recursive: true })
  }
}

if (target === undefined || existsSync(target) || !['x64', 'arm64'].includes(arch)) {
  console.error('usage: node scripts/bundle.mjs TARGET [x64|arm64]\nTARGET must not be there yet.')
  process.exit(2)
}
run(process.execPath, [join(root, 'scripts/ensure-installed.mjs')], root)
run(process.execPath, [join(root, 'scripts/build.mjs')], root)
mkdirSync(target, { recursive: true })
copyProgram()
installPackages()
setNodeApart()
removeWhatIsForDevelopers()
