/**
 * Derives a key of 32 bytes from a password, slowly on purpose: on this machine by scrypt, in a thread of its own, for
 * 16 MB and some 50 ms of a core.
 */
export type Derive = (password: string, salt: Uint8Array) => Promise<Buffer>
