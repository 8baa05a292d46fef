/** What happens on the way from sealed to confirmed and then removed here, in this order: after each the power may fail. */
export const syncSteps = [
  'on record',
  'attempt on record',
  'arrived',
  'in place',
  'sent',
  'sent on record',
  'noted',
  'receipts fetched',
  'ledger told',
  'confirmed on record',
  'journal told',
  'hidden',
  'removed',
  'removed on record'
] as const

type SyncStep = (typeof syncSteps)[number]

/** For tests: called after each step. */
export type TakeStep = (step: SyncStep) => void | Promise<void>
