/**
 * As much of a user's id as is shown without being asked for: enough to tell people of a course apart, never the whole,
 * and nothing that a terminal would take for more than text.
 */
export function shortId(user: string): string {
  return `${printable(user.slice(0, Math.min(8, Math.floor(user.length / 2))))}…`
}

export function printable(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
