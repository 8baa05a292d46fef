/** What the rooms log with: pino's interface, as far as it is used. Never given a message's content, a token or a code. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
