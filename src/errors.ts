/**
 * The one registry of errors. Each has a code, what happened (with the detail given where it is raised) and what the
 * operator can do. A detail never holds a message's content, a token or a code of the relay.
 */
const registry = {
  // called wrongly
  UNDERSTUDY_USAGE: { what: 'called wrongly', remedy: 'see --help', exit: 2 },
  UNDERSTUDY_NODE_TOO_OLD: {
    what: 'needs Node 24',
    remedy: 'call it by scripts/understudy, or install Node 24',
    exit: 2
  },
  // config/
  UNDERSTUDY_CONFIG_UNREADABLE: {
    what: 'the config file cannot be read',
    remedy: 'check its path and permissions',
    exit: 2
  },
  UNDERSTUDY_CONFIG_INVALID: {
    what: 'the config is not valid',
    remedy: 'correct the named place; `understudy doctor` checks it',
    exit: 2
  },
  UNDERSTUDY_CREDENTIALS_UNREADABLE: {
    what: 'credentials cannot be read',
    remedy: 'check the path and the permissions',
    exit: 2
  },
  UNDERSTUDY_CREDENTIALS_INVALID: {
    what: 'a credential file is not valid',
    remedy: 'put the file there again as it was issued',
    exit: 2
  },
  UNDERSTUDY_TOKEN_INVALID: { what: 'a token is not valid', remedy: "ask the relay's operator for a new one", exit: 2 },
  UNDERSTUDY_TOKEN_SCOPE: {
    what: 'a token does not allow reading',
    remedy: 'ask for a token with the read scope',
    exit: 2
  },
  UNDERSTUDY_NO_STREAMS: {
    what: 'there is no stream to record',
    remedy: 'put log.access.* and log.token.* files into the credentials folder',
    exit: 2
  },
  // provision/
  UNDERSTUDY_PROVISION_SOURCE: {
    what: 'it cannot be read',
    remedy: 'look at the card or stick on a laptop, repair its file system there, and put the file there again',
    exit: 1
  },
  UNDERSTUDY_PROVISION_ODD_TEXT: {
    what: 'the file is in an odd encoding',
    remedy: 'nothing, if all letters beyond a to z are right; save it as UTF-8 to be sure',
    exit: 1
  },
  UNDERSTUDY_PROVISION_ARCHIVE: {
    what: 'it is no tar that can be read, or is damaged; nothing of it was taken',
    remedy: 'make the tar anew, or put the log.access.* and log.token.* files there by themselves',
    exit: 1
  },
  UNDERSTUDY_PROVISION_NO_PLACE: {
    what: 'it could not be put into place; what was there before stays in use',
    remedy: 'nothing is lost, it is tried again at the next start; see to the disk: it is full, read-only or failing',
    exit: 1
  },
  UNDERSTUDY_PROVISION_SHORTER: {
    what: 'the token in use lasts longer, and stays',
    remedy: 'remove this file; if it is to be used all the same, ask for one that lasts longer',
    exit: 1
  },
  UNDERSTUDY_PROVISION_LEFT: {
    what: 'it is in place, but could not be removed here',
    remedy: 'remove it yourself: who finds this card or stick could use it',
    exit: 1
  },
  UNDERSTUDY_PROVISION_NOT_IN_FORCE: {
    what: 'another one was taken in after it, and is in force',
    remedy: 'if this one is to be in force again, change it in any way that counts, or remove it if not',
    exit: 1
  },
  UNDERSTUDY_PROVISION_KEYS: {
    what: 'the keys for the primary, or the password of the page, could not be made',
    remedy: 'see to the disk of the data folder; it is tried again',
    exit: 1
  },
  UNDERSTUDY_PROVISION_NAME_TAKEN: {
    what: 'another machine on this network has the same name',
    remedy: 'give each its own by [host] name; until then use the name or the address told here',
    exit: 1
  },
  UNDERSTUDY_PROVISION_IDENTITY: {
    what: 'the identity of this machine could not be copied to or from it',
    remedy: 'look at the data disk: it is full, read-only or failing; the card is used as it is',
    exit: 1
  },
  UNDERSTUDY_PROVISION_OWNER: {
    what: 'what was taken in could not be given to the user who records',
    remedy: 'start the machine again; if it stays so, write its card anew',
    exit: 1
  },
  UNDERSTUDY_PROVISION_SYSTEM: {
    what: 'what the system is to be told could not be written',
    remedy: 'start the machine again; if it stays so, its card is failing',
    exit: 1
  },
  UNDERSTUDY_PROVISION_REPORT: {
    what: 'the report could not be written here',
    remedy: 'take the write protection off the card or stick, and make room on it',
    exit: 1
  },
  // relay/
  UNDERSTUDY_RELAY_NO_AUTHORIZATION: { what: 'the relay saw no token', remedy: 'check the token file', exit: 1 },
  UNDERSTUDY_RELAY_TOKEN_REFUSED: {
    what: 'the relay refused the token',
    remedy: 'if it has expired, ask for a new one',
    exit: 1
  },
  UNDERSTUDY_RELAY_TOKEN_EXPIRED: { what: 'the token has expired', remedy: 'ask for a new one', exit: 1 },
  UNDERSTUDY_RELAY_TOKEN_EARLY: { what: 'the token is not valid yet', remedy: "check this machine's clock", exit: 1 },
  UNDERSTUDY_RELAY_WRONG_AUDIENCE: {
    what: 'the token is for another relay',
    remedy: 'check that the access file and the token file belong together',
    exit: 1
  },
  UNDERSTUDY_RELAY_WRONG_TOPIC: {
    what: 'the token is for another stream',
    remedy: 'check that the access file and the token file belong together',
    exit: 1
  },
  UNDERSTUDY_RELAY_MISSING_CLAIMS: {
    what: 'the token lacks claims the relay needs',
    remedy: 'ask for a new one',
    exit: 1
  },
  UNDERSTUDY_RELAY_DENIED: { what: 'the relay has denied this token', remedy: "ask the relay's operator", exit: 1 },
  UNDERSTUDY_RELAY_CODE_REFUSED: {
    what: 'the relay let the websocket open and then stayed silent, as it does for a bad code',
    remedy: 'nothing: a new code is asked for',
    exit: 1
  },
  UNDERSTUDY_RELAY_UNREACHABLE: { what: 'the relay cannot be reached', remedy: 'check the network', exit: 1 },
  UNDERSTUDY_RELAY_NO_ANSWER: {
    what: 'the relay closed the connection without an answer',
    remedy: 'a token without exp, iat or nbf does this: ask for a new one',
    exit: 1
  },
  UNDERSTUDY_RELAY_UNEXPECTED: {
    what: "the relay gave an answer that is not the relay's",
    remedy: 'check the URL in the access file',
    exit: 1
  },
  UNDERSTUDY_RELAY_SILENT: { what: 'the connection stayed silent', remedy: 'nothing: it is opened again', exit: 1 },
  UNDERSTUDY_RELAY_FRAME: {
    what: 'the relay sent a frame that cannot be taken',
    remedy: 'nothing: the connection is opened again',
    exit: 1
  },
  UNDERSTUDY_NETWORK_PORTAL: {
    what: "a captive portal or filter answered in the relay's place",
    remedy: "ask the network's operator to let this machine through",
    exit: 1
  },
  UNDERSTUDY_NETWORK_INTERCEPTED: {
    what: "a certificate in the relay's place is not signed by anyone this machine trusts",
    remedy: 'if the network inspects TLS, name its certificate in [network] ca_file; else ask its operator',
    exit: 1
  },
  UNDERSTUDY_NETWORK_CERTIFICATE: {
    what: "the relay's certificate is not valid",
    remedy: "check this machine's clock, then ask the relay's operator",
    exit: 1
  },
  UNDERSTUDY_NETWORK_PROXY: { what: 'the proxy refused the connection', remedy: 'check [network] proxy', exit: 1 },
  UNDERSTUDY_NETWORK_TIME_OUT: { what: 'no answer came in time', remedy: 'check the network', exit: 1 },
  // journal/
  UNDERSTUDY_ALREADY_RUNNING: {
    what: 'another Understudy works on this data folder',
    remedy: 'stop it first, or name another folder with --data',
    exit: 3
  },
  UNDERSTUDY_NO_JOURNAL: {
    what: 'there is no journal in this folder',
    remedy: 'name the data folder with --data',
    exit: 2
  },
  UNDERSTUDY_STORE_IN_USE: { what: 'a store is open in another process', remedy: 'stop the other process', exit: 3 },
  UNDERSTUDY_STORE_UNREADABLE: { what: 'a store cannot be opened', remedy: 'run `understudy verify`', exit: 1 },
  UNDERSTUDY_STORE_NEWER: {
    what: 'a store was written by a newer Understudy',
    remedy: 'use that version to read it',
    exit: 1
  },
  UNDERSTUDY_UNKNOWN_STORE: {
    what: 'there is no such finished store',
    remedy: 'leave the number out to have all of them looked through',
    exit: 2
  },
  UNDERSTUDY_BLOCK_DAMAGED: { what: 'a block is damaged', remedy: 'run `understudy verify`', exit: 1 },
  UNDERSTUDY_CATALOGUE_DAMAGED: { what: 'the catalogue is damaged', remedy: 'run `understudy verify`', exit: 1 },
  UNDERSTUDY_DISK_AWAY: {
    what: 'the data disk is not there',
    remedy: 'connect it, then run `understudy disk`; recording goes on in the data folder',
    exit: 1
  },
  UNDERSTUDY_DISK_OTHER: {
    what: 'another data disk than before is there, and is used from now on',
    remedy: 'nothing; what lies on the former one can be read when that is connected again',
    exit: 1
  },
  UNDERSTUDY_DISK_NOT_OURS: {
    what: 'the data disk holds a journal that this data folder cannot go on with; another is begun beside it',
    remedy: "nothing if it is another recorder's; if this data folder was lost, keep the former folder on the disk",
    exit: 1
  },
  UNDERSTUDY_DISK_FAILED: {
    what: 'the data disk cannot be used',
    remedy: 'check the disk and who may write to it, then run `understudy disk`; recording goes on in the data folder',
    exit: 1
  },
  UNDERSTUDY_CURSOR_TOO_OLD: {
    what: 'the cursor is before the first record kept',
    remedy: 'start at the first record kept; what lies between is no longer here',
    exit: 1
  },
  UNDERSTUDY_CURSOR_TOO_NEW: {
    what: 'the cursor is after the last record',
    remedy: 'the journal is older than the cursor: check that this is the right data folder',
    exit: 1
  },
  UNDERSTUDY_SOCKET_FOLDER: {
    what: 'the folder for the local socket does not belong to this user alone',
    remedy: 'remove it, set XDG_RUNTIME_DIR, or name a data folder with a shorter path',
    exit: 1
  },
  UNDERSTUDY_NO_ROOM: {
    what: 'the disk has no room left, or is read-only',
    remedy: 'free some room, or name another folder with --data',
    exit: 1
  },
  UNDERSTUDY_DATA_FAILED: {
    what: 'something in the data folder cannot be read or written',
    remedy:
      'check the disk, and that all in the data folder belongs to whom the folder belongs to; then start it again',
    exit: 1
  },
  UNDERSTUDY_JOURNAL_CLOSED: { what: 'the journal is closed', remedy: 'start Understudy again', exit: 1 },
  // captures/
  UNDERSTUDY_IMPORT_BUSY: {
    what: 'another import is being made',
    remedy: 'make this one again when it has ended',
    exit: 3
  },
  UNDERSTUDY_UNKNOWN_CAPTURE: {
    what: 'no such capture',
    remedy: 'see `understudy captures` for those in the config',
    exit: 2
  },
  UNDERSTUDY_CAPTURE_NOT_DUE: {
    what: 'this window cannot be made now',
    remedy: 'wait until it has ended and the clock is right; see `understudy captures`',
    exit: 1
  },
  UNDERSTUDY_NO_PRIMARY_GRAPHS: {
    what: 'there is no graph of a student in this folder that can be read',
    remedy: 'name the DATA_PATH of the primary, with its *-adjacency.csv, *-feedback.csv and *.json',
    exit: 2
  },
  UNDERSTUDY_BAD_STREAM_NAME: {
    what: "this cannot be a stream's name",
    remedy: 'use letters, digits, dashes and underscores',
    exit: 2
  },
  UNDERSTUDY_UNKNOWN_STREAM: {
    what: 'no such stream',
    remedy: 'see `understudy status` for the streams there are',
    exit: 2
  },
  UNDERSTUDY_OUTPUT_EXISTS: { what: 'the output is there already', remedy: 'name another place', exit: 2 },
  UNDERSTUDY_NOT_DECOMPRESSED: {
    what: 'a compressed file is damaged or cut off',
    remedy: 'import another copy of it; what came before the damage may have been taken',
    exit: 1
  },
  UNDERSTUDY_KEY_FILE: {
    what: 'the key file cannot be used',
    remedy: 'make one with `(umask 077; head -c 32 /dev/urandom | base64 >FILE)`, and keep it',
    exit: 2
  },
  // sync/
  UNDERSTUDY_SYNC_NO_TARGET: {
    what: 'there is no primary to hand anything to',
    remedy: 'name it in [sync] target; see `understudy sync --setup`',
    exit: 2
  },
  UNDERSTUDY_SYNC_NO_PROGRAM: {
    what: 'a program is missing',
    remedy: 'install it: apt-get install rsync openssh-client',
    exit: 2
  },
  UNDERSTUDY_SYNC_KEYS: {
    what: 'a key for the primary cannot be made or read',
    remedy: 'check [sync] identity and that the data folder can be written',
    exit: 1
  },
  UNDERSTUDY_SYNC_HOST_KEY: {
    what: 'the primary shows another host key than the one pinned at first use, or none could be pinned; nothing is sent',
    remedy:
      'ask its technician whether it has changed; if so, remove its line from [sync] known_hosts, as docs/sync.md says',
    exit: 1
  },
  UNDERSTUDY_SYNC_KEY_REFUSED: {
    what: 'the primary does not let our key in',
    remedy: 'put the lines that `understudy sync --setup` prints into its authorized_keys',
    exit: 1
  },
  UNDERSTUDY_SYNC_UNRESTRICTED: {
    what: 'a key may run commands on the primary, which it must not',
    remedy: 'put the lines that `understudy sync --setup` prints into its authorized_keys, in place of the plain key',
    exit: 1
  },
  UNDERSTUDY_SYNC_FAR_SETUP: {
    what: 'the primary refuses what it is asked to do',
    remedy: 'compare its set-up with what `understudy sync --setup` prints: folders, their owner, rrsync',
    exit: 1
  },
  UNDERSTUDY_SYNC_FAR_FULL: {
    what: "the primary's disk is full",
    remedy: 'make room there; it is tried again',
    exit: 1
  },
  UNDERSTUDY_SYNC_NEAR_FULL: {
    what: 'the disk here is full or read-only: neither receipts nor the state of handing over can be kept',
    remedy: 'see to the disk of the data folder; it is tried again',
    exit: 1
  },
  UNDERSTUDY_SYNC_BUSY: {
    what: 'an earlier transfer still holds its place on the primary',
    remedy: 'nothing: it is tried again',
    exit: 1
  },
  UNDERSTUDY_SYNC_UNREACHABLE: {
    what: 'the primary cannot be reached',
    remedy: 'check the network, and [sync] target, port and proxy_command',
    exit: 1
  },
  UNDERSTUDY_SYNC_CUT: {
    what: 'the connection to the primary was cut',
    remedy: 'nothing: the next attempt goes on where this one ended',
    exit: 1
  },
  UNDERSTUDY_SYNC_FAILED: { what: 'a transfer failed', remedy: 'try `understudy sync`, and see docs/sync.md', exit: 1 },
  UNDERSTUDY_SYNC_NO_RECEIPT: {
    what: 'folders were sent a day ago or earlier, and the primary has not confirmed them',
    remedy: 'check there that understudy-receipt is installed and runs',
    exit: 1
  },
  UNDERSTUDY_SYNC_DIFFERS: {
    what: 'what the primary has is not what was sent',
    remedy: 'move the folder away there, as docs/sync.md says; where it is still here, it is sent again',
    exit: 1
  },
  UNDERSTUDY_ERASE_AWAY: {
    what: 'what erase_after should have erased lies on a data disk that is not there',
    remedy: 'connect it, then run `understudy disk`: it is erased within a minute; or destroy the disk',
    exit: 1
  },
  // analytics/
  UNDERSTUDY_STANDBY_READ_ONLY: {
    what: 'the token does not allow sending, so nothing is answered on this stream',
    remedy: 'ask for a token with the write scope, or set [standby] mode = "observe"',
    exit: 2
  },
  UNDERSTUDY_GRAPH_INVALID: {
    what: 'a comparison graph is not valid',
    remedy: 'correct or remove the file; `understudy graphs check` looks through them all',
    exit: 1
  },
  UNDERSTUDY_GRAPHS_UNREADABLE: {
    what: 'the folder of the comparison graphs cannot be read',
    remedy: 'check [primary] comp_path, or COMP_PATH, and the permissions',
    exit: 1
  },
  UNDERSTUDY_UNKNOWN_GRAPH: {
    what: 'no such comparison graph',
    remedy: 'see `understudy graphs check` for those there are',
    exit: 2
  },
  UNDERSTUDY_UNKNOWN_STUDENT: {
    what: 'no such graph of a student, or several',
    remedy: 'see `understudy students` for those there are',
    exit: 2
  },
  // status/
  UNDERSTUDY_STATUS_LISTEN: {
    what: 'the status page cannot be served',
    remedy: 'check [status] address and port; it is tried again, and recording goes on',
    exit: 1
  },
  UNDERSTUDY_STATUS_PASSWORD: {
    what: 'the password of the status page cannot be used',
    remedy: 'write one of ten characters or more into the file, for its owner only (chmod 600), or remove the files',
    exit: 1
  },
  // cli/
  UNDERSTUDY_NOT_RUNNING: {
    what: 'no Understudy is running on this data folder',
    remedy: 'start one with `understudy run`',
    exit: 4
  },
  UNDERSTUDY_INTERNAL: { what: 'something failed that should not', remedy: 'please report it with the log', exit: 70 }
} as const

export type ErrorCode = keyof typeof registry

/** An error an operator may see. `message` reads "what: detail (remedy)". */
export class UnderstudyError extends Error {
  readonly code: ErrorCode
  readonly detail: string
  readonly remedy: string
  /** The exit code of a command that ends with it. */
  readonly exitCode: number

  constructor(code: ErrorCode, detail = '', options?: { cause?: unknown }) {
    const { what, remedy, exit } = registry[code]
    super(`${what}${detail && `: ${detail}`} (${remedy})`, options)
    this.name = 'UnderstudyError'
    this.code = code
    this.detail = detail
    this.remedy = remedy
    this.exitCode = exit
  }
}

/** What happened and what to do, for reports that have a code only. */
export function explain(code: ErrorCode): { what: string; remedy: string } {
  return registry[code]
}

/** Node's error code (ENOENT, ECONNREFUSED, …), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
