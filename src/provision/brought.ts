import { accessUrlIn, credentialName, tokenIn } from '../config/credentials.ts'
import { isStreamName } from '../config/stream-name.ts'
import { UnderstudyError } from '../errors.ts'
import type { DirectoryEntry, Files } from '../world/files.ts'
import { isArchive, readArchive } from './archive.ts'
import type { Brought } from './choose.ts'
import { laptopText } from './laptop-text.ts'
import { shown, type Wrong, wrong, wrongOf } from './wrong.ts'

const MOST_CREDENTIAL_BYTES = 65_536
const MOST_ARCHIVE_BYTES = 4 * 1024 * 1024
const MOST_FOLDERS = 200
/** The editors' and the systems' own: `understudy.toml.txt` is what a laptop that hides endings makes. */
const CONFIG_NAMES = ['understudy.toml', 'understudy.toml.txt']

/** A credential file that was brought. */
export interface BroughtFile extends Brought {
  readonly stream: string
  /** As people find it: `practable/log.token.spin30`, or `lab.tar: log.token.spin30`. */
  readonly where: string
  /** The file, or the archive that it is in. */
  readonly path: string
}

/** What lies in a folder that brings something. */
export interface Bundle {
  readonly directory: string
  readonly files: readonly BroughtFile[]
  /** The path of the config file, where there is one. */
  readonly configFile: string | undefined
  /** Archives in which something is wrong: they stay where they are. */
  readonly badArchives: ReadonlySet<string>
  readonly wrongs: readonly Wrong[]
}

/** Looks through a folder and the folders in it. Never rejects for what is wrong with them. */
export async function lookThrough(files: Files, directory: string): Promise<Bundle> {
  const look = new Look(files, directory)
  await look.folder('', true)
  const { brought, badArchives, wrongs, configs } = look
  const configFile = CONFIG_NAMES.flatMap((name) => configs.get(name) ?? [])[0]
  return { directory, files: brought, configFile, badArchives, wrongs }
}

class Look {
  readonly brought: BroughtFile[] = []
  readonly wrongs: Wrong[] = []
  readonly badArchives = new Set<string>()
  /** By name in small letters. */
  readonly configs = new Map<string, string>()
  readonly #files: Files
  readonly #directory: string

  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** @param inside '' for the folder itself, `practable/` for one in it */
  async folder(inside: string, deeper: boolean): Promise<void> {
    for (const { name, kind } of await this.#list(inside)) {
      // What systems leave behind: ._log.token.spin30, .Trashes
      if (name.startsWith('.')) continue
      const path = `${this.#directory}/${inside}${name}`
      const where = shown(`${inside}${name}`)
      if (kind === 'directory' && deeper) await this.folder(`${name}/`, false)
      if (kind !== 'file') continue
      const plain = name.toLowerCase()
      if (CONFIG_NAMES.includes(plain) && !this.configs.has(plain)) this.configs.set(plain, path)
      else if (isArchive(name)) await this.#archive(path, where)
      else if (credentialName(name)) {
        const bytes = await this.#read(path, where, MOST_CREDENTIAL_BYTES)
        if (bytes) this.#credential({ name, bytes, where, path, group: `${this.#directory}/${inside}` })
      }
    }
  }

  async #list(inside: string): Promise<DirectoryEntry[]> {
    try {
      const entries = await this.#files.list(`${this.#directory}/${inside}`)
      const folders = entries.filter(({ kind }) => kind === 'directory').slice(MOST_FOLDERS)
      return entries.filter((entry) => !folders.includes(entry)).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      this.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_SOURCE', shown(inside) || this.#directory))
      return []
    }
  }

  async #read(path: string, where: string, mostBytes: number): Promise<Buffer | undefined> {
    try {
      const size = (await this.#files.info(path))?.sizeBytes ?? 0
      if (size <= mostBytes) return await this.#files.readFile(path)
      const detail = `it is larger than ${mostBytes} bytes`
      this.wrongs.push(wrong('UNDERSTUDY_PROVISION_SOURCE', where, detail, 'put the right file there'))
    } catch (error) {
      this.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_SOURCE', where))
    }
    return undefined
  }

  async #archive(path: string, where: string): Promise<void> {
    const bytes = await this.#read(path, where, MOST_ARCHIVE_BYTES)
    if (!bytes) return
    try {
      for (const file of await readArchive(bytes, (name) => credentialName(name) !== undefined)) {
        this.#credential({ ...file, where: `${where}: ${shown(file.name)}`, path, group: path })
      }
    } catch (error) {
      this.badArchives.add(path)
      this.wrongs.push(wrongOf(error, 'UNDERSTUDY_PROVISION_ARCHIVE', where))
    }
  }

  #credential(file: { name: string; bytes: Uint8Array; where: string; path: string; group: string }): void {
    const { where, path, group } = file
    // A laptop that hides endings adds one.
    const name = file.name.replace(/\.txt$/i, '')
    const { kind, stream } = credentialName(name) ?? { kind: 'token', stream: '' }
    try {
      if (!isStreamName(stream)) throw new UnderstudyError('UNDERSTUDY_BAD_STREAM_NAME')
      const { text } = laptopText(file.bytes)
      const value = kind === 'access' ? accessUrlIn(text, 'the file') : tokenIn(text, 'the file').token
      this.brought.push({ stream, kind, value, where, path, group })
    } catch (error) {
      this.badArchives.add(path)
      this.wrongs.push(wrongOf(error, 'UNDERSTUDY_CREDENTIALS_INVALID', where))
    }
  }
}
