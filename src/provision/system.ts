import type { Config } from '../config/config.ts'
import type { Files } from '../world/files.ts'
import { connections } from './network-manager.ts'
import { placeFile } from './place.ts'
import { type Wrong, wrongOf } from './wrong.ts'

const CONNECTIONS = 'NetworkManager'

/**
 * Writes what the system is to be told below `run`, and who may log in into `to`; what a former config said and this one
 * does not goes. Whoever calls it puts the files where they act.
 */
export async function tellSystem(files: Files, config: Config, to: string, run: string | undefined): Promise<Wrong[]> {
  const { host, wifi, ssh, clock } = config
  const wrongs: Wrong[] = []
  const put = async (path: string, lines: readonly string[], mode: number): Promise<void> => {
    try {
      if (lines.length === 0) return await files.remove(path)
      await placeFile(files, path, lines.map((line) => `${line}\n`).join(''), mode)
    } catch (error) {
      wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_SYSTEM', path))
    }
  }
  await put(`${to}/authorized_keys`, ssh.keys, 0o600)
  if (run === undefined) return wrongs
  const folder = `${run}/${CONNECTIONS}`
  try {
    await files.makeDirectory(folder, 0o700)
  } catch (error) {
    return [...wrongs, wrongOf(error, 'UNDERSTUDY_PROVISION_SYSTEM', folder)]
  }
  await put(`${run}/hostname`, host.name === undefined ? [] : [host.name], 0o644)
  await put(`${run}/regdomain`, wifi.country === undefined ? [] : [wifi.country], 0o644)
  const time = clock.servers.length === 0 ? [] : ['[Time]', `NTP=${clock.servers.join(' ')}`]
  await put(`${run}/timesyncd.conf`, time, 0o644)
  const wanted = connections(config)
  const there = (await files.list(folder).catch(() => [])).map(({ name }) => name)
  for (const name of there) if (!wanted.has(name)) await put(`${folder}/${name}`, [], 0o600)
  for (const [name, text] of wanted) await put(`${folder}/${name}`, [text.trimEnd()], 0o600)
  return wrongs
}
