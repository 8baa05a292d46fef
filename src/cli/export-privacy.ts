import { resolve } from 'node:path'
import { readKeyFile } from '../captures/privacy/key-file.ts'
import { ordinaryWords } from '../captures/privacy/ordinary-words.ts'
import { Privacy } from '../captures/privacy/privacy.ts'
import { Pseudonyms } from '../captures/privacy/pseudonyms.ts'
import { collectUserIds } from '../captures/privacy/user-ids.ts'
import type { JournalReader } from '../journal/reading.ts'
import { usage } from './command.ts'
import type { Call } from './terminal.ts'

/**
 * What the options of an export say of users; `undefined` when they say nothing.
 * @throws UNDERSTUDY_KEY_FILE, UNDERSTUDY_USAGE
 */
export async function privacyOf(
  { world, options }: Call,
  reader: Pick<JournalReader, 'range' | 'streams' | 'nextPosition'>,
  progress: (position: number) => void
): Promise<Privacy | undefined> {
  const idsIn = async (option: string): Promise<ReadonlySet<string> | undefined> => {
    const path = options.text(option)
    if (path === undefined) return undefined
    const text = (await world.files.readFile(resolve(path))).toString('utf8')
    return new Set(text.split(/\r?\n/).filter((id) => id !== ''))
  }
  const onlyUsers = await idsIn('only-users')
  const withoutUsers = await idsIn('without-users')
  const keyFile = options.text('pseudonyms')
  if (keyFile === undefined) {
    if (options.has('keep-text')) usage('--keep-text goes with --pseudonyms')
    if (onlyUsers === undefined && withoutUsers === undefined) return undefined
  }
  const users = { ...(onlyUsers && { onlyUsers }), ...(withoutUsers && { withoutUsers }) }
  if (keyFile === undefined) return new Privacy(users)
  const key = await readKeyFile(world.files, resolve(keyFile))
  const ids = await collectUserIds(reader, reader.nextPosition, progress)
  for (const id of [...(onlyUsers ?? []), ...(withoutUsers ?? [])]) ids.add(id)
  const kept = new Set([...ordinaryWords, ...(await reader.streams())])
  return new Privacy({ ...users, pseudonyms: new Pseudonyms(key, ids, kept), keepText: options.has('keep-text') })
}
