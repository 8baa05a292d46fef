import { chmod, chown, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { test } from 'vitest'
import { expectLeftAlone, stores } from './left-alone.ts'
import { setUp } from './setup.ts'

const shared = setUp()
const NOBODY = 65_534

/** Root may write everywhere: it becomes somebody else for a while. */
async function giveUpRights(directory: string): Promise<void> {
  if (process.getuid!() !== 0) return
  await chmod(dirname(directory), 0o755)
  await chown(directory, NOBODY, NOBODY)
  for (const { parentPath, name } of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await chown(`${parentPath}/${name}`, NOBODY, NOBODY)
  }
  process.seteuid!(NOBODY)
}

test.each(stores)('%s may not be written: it is left as it is, and nothing is lost', (which) =>
  expectLeftAlone(
    shared,
    which,
    async (store, directory) => {
      for (const name of await readdir(store)) await chmod(`${store}/${name}`, 0o444)
      await chmod(store, 0o555)
      await giveUpRights(directory)
    },
    async (store) => {
      if (process.getuid!() === 0) process.seteuid!(0)
      await chmod(store, 0o755)
    }
  )
)
