import type { World } from '../world/world.ts'
import type { SyncPaths } from './paths.ts'
import { runProgram } from './run-program.ts'

/** The public keys, each as a line for authorized_keys. */
export interface PublicKeys {
  readonly upload: string
  readonly receipts: string
}

/**
 * The two key pairs, made at first use. A private key is its owner's alone.
 * @throws UNDERSTUDY_SYNC_NO_PROGRAM, UNDERSTUDY_SYNC_KEYS
 */
export async function prepareKeys(world: World, site: string, { keys }: SyncPaths): Promise<PublicKeys> {
  return {
    upload: await prepareKey(world, keys.upload, `${site} upload`),
    receipts: await prepareKey(world, keys.receipts, `${site} receipts`)
  }
}

async function prepareKey(world: World, path: string, comment: string): Promise<string> {
  const { files } = world
  if (!(await files.info(path))) {
    await files.makeDirectory(path.slice(0, path.lastIndexOf('/')), 0o750)
    // Beside its place first: half a key would be taken for one ever after.
    const made = `${path}.new`
    await files.remove(made)
    await files.remove(`${made}.pub`)
    const args = ['-q', '-t', 'ed25519', '-N', '', '-C', `understudy ${comment}`, '-f', made]
    await runProgram(world, 'ssh-keygen', args, 'UNDERSTUDY_SYNC_KEYS')
    // ssh-keygen leaves it to the system when it is on the disk.
    const file = await files.open(made, 'edit')
    await file.sync().finally(() => file.close())
    await files.rename(made, path)
    await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
    await files.remove(`${made}.pub`)
  }
  return (await runProgram(world, 'ssh-keygen', ['-y', '-f', path], 'UNDERSTUDY_SYNC_KEYS')).trim()
}
