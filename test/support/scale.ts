const share = process.env['UNDERSTUDY_FULL'] === '1' ? 1 : 0.2

/** How often a test repeats something that is promised for `promised` times: all of them in `npm run test:full`, else a fifth. */
export function repeats(promised: number): number {
  return Math.ceil(promised * share)
}
