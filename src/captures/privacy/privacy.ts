import type { Frame } from '../../journal/entry.ts'
import { split } from '../../relay/splitter.ts'
import { parseJson } from '../json.ts'
import { withoutIds, withoutText } from './private-message.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { userIds } from './user-ids.ts'

export interface PrivacyOptions {
  readonly pseudonyms?: Pseudonyms
  /** With pseudonyms: keep what people wrote themselves. */
  readonly keepText?: boolean
  /** Only messages that name one of these users. */
  readonly onlyUsers?: ReadonlySet<string>
  /** Only messages that name none of these users. */
  readonly withoutUsers?: ReadonlySet<string>
}

/** What of an export may be given away. */
export class Privacy {
  /** Messages of users that were not wanted. */
  filtered = 0
  /** Parts of frames that cannot be searched for users: what is no JSON, or nested too deeply. */
  unsearchable = 0
  private readonly options: PrivacyOptions

  constructor(options: PrivacyOptions) {
    this.options = options
  }

  /** What is left of a frame; `undefined` when nothing is. */
  frame(frame: Frame): Frame | undefined {
    const kept: Buffer[] = []
    for (const { start, end, kind } of split(frame.payload)) {
      const part = kind === 'json' ? this.message(frame.payload.subarray(start, end)) : undefined
      if (part) kept.push(part)
      if (kind !== 'json') this.unsearchable++
    }
    return kept.length === 0 ? undefined : { ...frame, payload: Buffer.concat(kept) }
  }

  private message(bytes: Buffer): Buffer | undefined {
    const { pseudonyms, keepText = false } = this.options
    try {
      const message = parseJson(bytes.toString('utf8'))
      if (!this.wanted(message)) {
        this.filtered++
        return undefined
      }
      if (pseudonyms === undefined) return bytes
      return Buffer.from(JSON.stringify(withoutIds(keepText ? message : withoutText(message), pseudonyms)))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.unsearchable++
      return undefined
    }
  }

  private wanted(message: unknown): boolean {
    const { onlyUsers, withoutUsers } = this.options
    if (onlyUsers === undefined && withoutUsers === undefined) return true
    const users = [...userIds(message)]
    return (
      (onlyUsers === undefined || users.some((user) => onlyUsers.has(user))) &&
      !users.some((user) => withoutUsers?.has(user))
    )
  }
}
