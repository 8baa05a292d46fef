import { createRequire } from 'node:module'

/** Understudy's own, as its package names it. */
export const version: string = createRequire(import.meta.url)('../../package.json').version
