/** Compiles src/ into dist/, which is what is shipped: JavaScript, the assets beside it, an executable dist/cli/main.js. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit'
})
if (status !== 0) process.exit(status ?? 1)

cpSync(join(root, 'src'), dist, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts')
})

// Called by itself it starts as bin/understudy.js does.
const main = join(dist, 'cli/main.js')
const [interpreter] = readFileSync(join(root, 'bin/understudy.js'), 'utf8').split('\n')
writeFileSync(main, `${interpreter}\n${readFileSync(main, 'utf8')}`)
chmodSync(main, 0o755)
