import { timingSafeEqual } from 'node:crypto'
import { UnderstudyError } from '../errors.ts'
import type { Derive } from '../world/derive.ts'
import { type Files, writeDurably } from '../world/files.ts'
import type { Random } from '../world/time.ts'
import type { World } from '../world/world.ts'

const SALT_BYTES = 16
const LEAST_LENGTH = 10
/** Without what is easily taken for something else: 32 of them, so a byte's last bits choose one evenly. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz123456789'
const TIGHT = 0o600

/** What a password is checked against. */
interface Kept {
  readonly salt: Buffer
  readonly key: Buffer
}

/** The one password of the page, as it is kept: salted and hashed. */
export class Password {
  readonly #derive: Derive
  readonly #settle: () => Promise<Kept>
  #kept: Kept | undefined

  private constructor(derive: Derive, settle: () => Promise<Kept>) {
    this.#derive = derive
    this.#settle = settle
  }

  /**
   * What is in force. The first line of the file at `path` is the password; beside it, as `….scrypt`, lies what it is checked
   * against, so the file may be removed once it was read. Where there is neither, a password is made. Whether the file has
   * another one than before is looked at when one is given: that costs memory.
   * @throws UNDERSTUDY_STATUS_PASSWORD when others may read the file, or what is in it is too short
   */
  static async open(world: Pick<World, 'files' | 'random' | 'derive'>, path: string): Promise<Password> {
    const { files, random, derive } = world
    const hashPath = `${path}.scrypt`
    const before = await readKept(files, hashPath)
    const info = await files.info(path)
    if (!info && before) return new Password(derive, async () => before)
    if (!info) await writeDurably(files, path, `${madeUp(random)}\n`, TIGHT)
    else if ((info.mode & 0o077) !== 0) throw fault(`${path}: others may read it`)
    const [text = ''] = (await files.readFile(path)).toString().split(/\r?\n/)
    if (text.length < LEAST_LENGTH) throw fault(`${path}: it has less than ${LEAST_LENGTH} characters`)
    const password = new Password(derive, async () => {
      if (before && timingSafeEqual(await derive(text, before.salt), before.key)) return before
      const salt = random.bytes(SALT_BYTES)
      const key = await derive(text, salt)
      await writeDurably(files, hashPath, `scrypt ${salt.toString('hex')} ${key.toString('hex')}\n`, TIGHT)
      return { salt, key }
    })
    if (!before) await password.#settled()
    return password
  }

  /** Takes as long for a wrong one as for the right one. */
  async is(text: string): Promise<boolean> {
    const { salt, key } = await this.#settled()
    return timingSafeEqual(await this.#derive(text, salt), key)
  }

  async #settled(): Promise<Kept> {
    this.#kept ??= await this.#settle()
    return this.#kept
  }
}

async function readKept(files: Files, path: string): Promise<Kept | undefined> {
  if (!(await files.info(path))) return undefined
  const text = (await files.readFile(path)).toString()
  const [, salt, key] = /^scrypt ([0-9a-f]{32}) ([0-9a-f]{64})\n$/.exec(text) ?? []
  if (salt === undefined || key === undefined) throw fault(`${path}: it cannot be read`)
  return { salt: Buffer.from(salt, 'hex'), key: Buffer.from(key, 'hex') }
}

/** 20 letters of 5 bits each, in fours. */
function madeUp(random: Random): string {
  const letters = [...random.bytes(20)].map((byte) => LETTERS[byte % LETTERS.length])
  return letters.join('').replace(/.{4}(?=.)/g, '$&-')
}

function fault(detail: string): UnderstudyError {
  return new UnderstudyError('UNDERSTUDY_STATUS_PASSWORD', detail)
}
