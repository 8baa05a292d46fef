import { createHmac } from 'node:crypto'
import type { Derive } from '../../world/derive.ts'

/** At once and cheaply: nobody guesses in a simulated world. */
export const simulatedDerive: Derive = async (password, salt) => createHmac('sha256', salt).update(password).digest()
