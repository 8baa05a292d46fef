export const siteForm =
  'at most 64 letters, digits, dots, dashes and underscores, the first a letter or digit, and not "receipts"'

/** Whether this can be a machine's name: it becomes a folder on the primary, beside the receipts. */
export function isSiteName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) && name !== 'receipts'
}
