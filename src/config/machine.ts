import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { isAddress } from './address.ts'
import { expected, section, text } from './values.ts'

/*
 * What the machine itself is to be: its name, its way onto the network, who may log in. `understudy provision` tells it to
 * a Pi of our own image; elsewhere these are accepted and change nothing.
 */

const labelForm = 'a name of at most 63 small letters, digits and dashes'
const ssidForm = "a network's name, 1 to 32 bytes"
const passwordForm = 'one line of text, at most 256 bytes'
const countryForm = 'a country as two capital letters, like "GB"'
const serverForm = 'a host name or an IP address'
const keyForm = 'one line as of a file .pub: a kind of key, the key, perhaps a comment'
const pskForm = 'found some, expected 8 to 63 plain characters, or 64 hex digits, where there is no identity'

/** What it is called on the network. */
export const host = section({
  name: v.optional(text(labelForm, (name) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)))
})

/** A wireless network to join. */
export const wifi = v.pipe(
  section({
    ssid: v.optional(text(ssidForm, (ssid) => ssid !== '' && Buffer.byteLength(ssid) <= 32 && !ssid.includes('\0'))),
    /** Never shown. None: an open network. */
    password: v.optional(text(passwordForm, isLine)),
    /** Who logs in (WPA2-Enterprise, PEAP with MSCHAPv2). Absent: a password that all share (WPA2-PSK). */
    identity: v.optional(text(passwordForm, isLine)),
    /** The certificates (PEM) that the network's own must be signed by. */
    ca_file: v.optional(text('an absolute path', (path) => isAbsolute(path) && !path.includes('\0'))),
    /** Where it stands: which channels may be used. */
    country: v.optional(text(countryForm, (country) => /^[A-Z]{2}$/.test(country)))
  }),
  v.forward(
    v.check(
      ({ ssid, password, identity }) => ssid !== undefined || (password ?? identity) === undefined,
      'found nothing, expected it to be given beside a password or an identity'
    ),
    ['ssid']
  ),
  v.forward(
    v.check(
      ({ password, identity }) => identity === undefined || password !== undefined,
      'found nothing, expected it to be given beside an identity'
    ),
    ['password']
  ),
  v.forward(
    v.check(({ password, identity }) => identity !== undefined || password === undefined || isPsk(password), pskForm),
    ['password']
  )
)

/** Who may log in by ssh: lines as in authorized_keys, without options. None: nobody, and there is no ssh. */
export const ssh = section({
  keys: v.optional(v.array(text(keyForm, isPublicKey), expected('a list of public keys')), [])
})

/** Time servers; none: those that the network names. */
export const timeServers = v.array(text(serverForm, isServer), expected(`a list, each entry ${serverForm}`))

function isLine(line: string): boolean {
  return line !== '' && Buffer.byteLength(line) <= 256 && !/\p{Cc}/u.test(line)
}

function isPsk(password: string): boolean {
  return /^[\x20-\x7e]{8,63}$/.test(password) || /^[0-9A-Fa-f]{64}$/.test(password)
}

function isPublicKey(line: string): boolean {
  const [, kind, blob] =
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) ([A-Za-z0-9+/]{20,4000}={0,2})(?: [^\p{Cc}]{0,200})?$/u.exec(
      line
    ) ?? []
  if (kind === undefined || blob === undefined) return false
  // Inside, the key says its kind again: a length of four bytes, then the name.
  const bytes = Buffer.from(blob, 'base64')
  return bytes.length > 4 + kind.length && bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString() === kind
}

function isServer(name: string): boolean {
  const labels =
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/
  return isAddress(name) || (labels.test(name) && !/^[\d.]+$/.test(name))
}
