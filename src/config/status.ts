import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { isAddress } from './address.ts'
import { expected, section, text } from './values.ts'

const addressForm = 'an IP address, like "127.0.0.1", "0.0.0.0" or "::1"'
const nameForm = 'a host name'
const portForm = 'a port, 1 to 65535, or 0 for no page'

/** The page, and what programs read of it. */
export const status = section({
  /** Where it is served. Anywhere but on loopback a password is asked for. */
  address: v.optional(text(addressForm, isAddress), '127.0.0.1'),
  /** 0: nowhere. */
  port: v.optional(
    v.pipe(
      v.number(expected(portForm)),
      v.integer(expected(portForm)),
      v.minValue(0, expected(portForm)),
      v.maxValue(65_535, expected(portForm))
    ),
    8088
  ),
  /** What else browsers may call it than by an address, a name without a dot, or one that ends in `.local`. */
  names: v.optional(
    v.array(
      text(nameForm, (name) => /^[a-z0-9.-]{1,253}$/.test(name)),
      expected('a list of host names')
    ),
    []
  ),
  /** The password; made at the first start. Its first line counts. */
  password_file: v.optional(text('an absolute path', (value) => isAbsolute(value) && !value.includes('\0'))),
  /** Whether students' graphs are shown, by shortened ids, to whoever has the password. */
  show_students: v.optional(v.boolean(expected('true or false')), false)
})

/** Whether only this machine reaches what listens there. */
export function isLoopback(address: string): boolean {
  return (
    address.startsWith('127.') || new URL(`http://[${address.includes(':') ? address : '::'}]`).hostname === '[::1]'
  )
}
