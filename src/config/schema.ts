import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { isAddress, isV4, isV4Network } from './address.ts'
import { captures, dailyCapture } from './capture.ts'
import { cronForm, isCron } from './cron.ts'
import { health, notify, terms } from './health.ts'
import { host, ssh, timeServers, wifi } from './machine.ts'
import { isPattern, patternForm } from './patterns.ts'
import { isSiteName, siteForm } from './site-name.ts'
import { socketStream, socketUrlForm } from './socket-url.ts'
import { status } from './status.ts'
import { parseSyncTarget, syncTargetForm } from './sync-target.ts'
import { isTimeZone, systemTimeZone, timeZoneForm } from './time-zone.ts'
import { duration, expected, section, size, text } from './values.ts'

const path = text('an absolute path', (value) => isAbsolute(value) && !value.includes('\0'))
const patterns = v.array(text(patternForm, isPattern), expected(`a list, each entry ${patternForm}`))
const levels = ['debug', 'info', 'warn', 'error'] as const

/** Which streams are recorded. */
const streams = section({
  /** The folder of the log.access.* and log.token.* files. */
  credentials: v.optional(path, '/etc/practable'),
  /** Only these of the folder's streams, by name or pattern; none named: all. Sockets are not narrowed. */
  only: v.optional(patterns, []),
  /** Streams of a local relay host, each named by its URL's last part. `LOG_URL` adds one. */
  sockets: v.optional(
    v.array(
      text(socketUrlForm, (url) => socketStream(url) !== undefined),
      expected('a list of websocket URLs')
    ),
    []
  )
})

/** How they are heard. */
const relay = v.pipe(
  section({
    /** How often the sockets are read. */
    read_interval: v.optional(duration('10ms', '5s'), '480ms'),
    /** How often a connection is asked for a proof that it is heard. */
    ping_interval: v.optional(duration('1s', '60s'), '10s'),
    /** A connection without a pong, ping or message for so long is opened anew. */
    silence_timeout: v.optional(duration('2s', '10m'), '30s'),
    /** Streams, by name or pattern, that are read at once instead of on the interval. */
    live: v.optional(patterns, [])
  }),
  v.forward(
    v.check(
      ({ ping_interval, silence_timeout }) => silence_timeout >= 2 * ping_interval,
      'found less than two ping intervals, expected more, so that one lost pong does not end a connection'
    ),
    ['silence_timeout']
  )
)

/** How they are kept. */
const journal = section({
  /** What was read is synced to the disk after at most this long; a power cut may cost this and `read_interval`. */
  commit_interval: v.optional(duration('10ms', '10s'), '500ms'),
  /** A new store is begun when the newest has this size… */
  store_size: v.optional(size('1MB', '4GB'), '256MB'),
  /** …or this age. */
  store_age: v.optional(duration('1h', '366d'), '7d'),
  /** So much of the disk stays free: the oldest stores go for it, first those that are known to be elsewhere too. */
  min_free: v.optional(size('100MB', '100TB'), '500MB'),
  /** The stores together are not larger. */
  max_size: v.optional(size('10MB', '100TB')),
  /** Stores that are older are removed once all in them is known to be elsewhere too. */
  max_age: v.optional(duration('1d', '36500d')),
  /** What is in a sealed folder of all streams counts as known to be elsewhere, although the folder is only here. */
  sealed_is_confirmed: v.optional(v.boolean(), false),
  /** Bytes received but not yet committed, over all streams; beyond it the sockets are paused. */
  memory: v.optional(size('16MB', '1GB'), '64MB')
})

const v4Form = 'an IPv4 address, like "192.168.1.1"'
const networkForm = 'an IPv4 address with the length of its prefix, like "192.168.1.20/24"'
const addressForm = 'an IP address'
const proxyForm = 'the URL of an HTTP proxy, like "http://proxy.example:3128"'

/** The way to the relay. */
const network = v.pipe(
  section({
    /** Used for the POST and for the websocket. */
    proxy: v.optional(text(proxyForm, (url) => /^https?:\/\/[^\s#]+$/.test(url) && URL.canParse(url))),
    /** Certificates in PEM that are trusted besides the system's, for networks that inspect TLS. */
    ca_file: v.optional(path),
    /** A fixed address, for `understudy provision`: of the wireless network where there is one, else of the cable. */
    address: v.optional(text(networkForm, isV4Network)),
    gateway: v.optional(text(v4Form, isV4)),
    /** Name servers, in place of those that the network names. */
    dns: v.optional(v.array(text(addressForm, isAddress), expected(`a list, each entry ${addressForm}`)), [])
  }),
  v.forward(
    v.check(
      ({ address, gateway }) => gateway === undefined || address !== undefined,
      'found nothing, expected it to be given beside a gateway'
    ),
    ['address']
  )
)

const clock = section({
  /** Take the system's clock for right although nothing says that it is synchronised. */
  trust: v.optional(v.boolean(expected('true or false')), false),
  /** For `understudy provision`. */
  servers: v.optional(timeServers, [])
})

const data = section({
  /** Everything Understudy writes is in here. */
  directory: v.optional(path, '/var/lib/understudy'),
  /** Where a data disk is mounted that new stores go to; without it, or while it is not there, they go to `directory`. */
  disk: v.optional(path)
})

/** Files of the primary server. */
const primary = section({
  /** A folder in the primary's own layout, for import and compare. Nothing reads it yet. Also `DATA_PATH`. */
  data_path: v.optional(path),
  /** The comparison graphs, where others than those that Understudy comes with are to serve. Also `COMP_PATH`. */
  comp_path: v.optional(path)
})

/** What students are told. */
const analytics = section({
  /** Exploration as it was meant, instead of as the primary really answers it. */
  corrected: v.optional(v.boolean(expected('true or false')), false)
})

const standbyModes = ['observe', 'answer', 'always'] as const

/** Answering students' dashboards in the primary's place. */
const standby = section({
  /** Only say what it would have done, answer where the primary does not, or answer at once, where there is no primary. */
  mode: v.optional(v.picklist(standbyModes, expected(standbyModes.map((mode) => `"${mode}"`).join(', '))), 'observe'),
  /** The primary has so long for each reply. */
  after: v.optional(duration('100ms', '60s'), '2s')
})

const log = section({
  /** The least that is logged. */
  level: v.optional(v.picklist(levels, expected(levels.map((level) => `"${level}"`).join(', '))), 'info')
})

const portForm = 'a port, 1 to 65535'
const commandForm = 'one line of text'
const eraseForm = 'a date like 2027-07-31, or a duration like "730d"'

/** How sealed folders are handed to the primary, and how long they stay here. */
const sync = section({
  /** Where to; without one nothing is sent. */
  target: v.optional(text(syncTargetForm, (target) => parseSyncTarget(target) !== undefined)),
  /** The private key that uploads; the one that reads receipts is beside it, with `-receipts`. Both are made at first use. */
  identity: v.optional(path),
  /** Where the primary's host key is pinned. */
  known_hosts: v.optional(path),
  port: v.optional(
    v.pipe(
      v.number(expected(portForm)),
      v.integer(expected(portForm)),
      v.minValue(1, expected(portForm)),
      v.maxValue(65_535, expected(portForm))
    ),
    22
  ),
  /** ssh's ProxyCommand, for a way through a gateway. */
  proxy_command: v.optional(text(commandForm, (line) => line.length > 0 && !/\p{Cc}/u.test(line))),
  /** At most so much a second. */
  bandwidth: v.optional(size('1kB', '10GB')),
  /** When it is looked whether there is something to hand over, or a receipt to be had; in the site's zone. */
  schedule: v.optional(text(cronForm, isCron), '17 * * * *'),
  /** How often the primary is asked to hash anew what it has. */
  recheck: v.optional(duration('1d', '366d'), '30d'),
  /** Sealed folders that are older are removed here once their receipt has come. */
  max_age: v.optional(duration('1d', '36500d')),
  /** Sealed folders are together not larger: the oldest with a receipt go first. */
  max_size: v.optional(size('10MB', '100TB')),
  /** What was recorded before this date, or is older than this, is erased here, handed over or not. */
  erase_after: v.optional(
    v.union(
      [
        v.pipe(
          v.date(),
          v.transform((date) => ({ dateMs: date.getTime() }))
        ),
        v.pipe(
          duration('31d', '36500d'),
          v.transform((ageMs) => ({ ageMs }))
        )
      ],
      expected(eraseForm)
    )
  )
})

/** What the file says of itself, and a newer release may say otherwise. */
export const CONFIG_FORMAT = 1

/** The config file. Every key is optional; each stands here and in docs/understudy.example.toml, and nowhere else. */
export const configSchema = section({
  /** Raised when a key comes to mean something else. */
  format: v.optional(v.picklist([CONFIG_FORMAT], expected(`${CONFIG_FORMAT}`)), CONFIG_FORMAT),
  /** What this machine is called in what it writes and sends. */
  site: v.optional(text(siteForm, isSiteName), 'understudy'),
  /** Of the site: what a day is. Default: the one this machine is set to. */
  time_zone: v.optional(text(timeZoneForm, isTimeZone), systemTimeZone),
  streams: v.optional(streams, {}),
  relay: v.optional(relay, {}),
  journal: v.optional(journal, {}),
  host: v.optional(host, {}),
  wifi: v.optional(wifi, {}),
  network: v.optional(network, {}),
  ssh: v.optional(ssh, {}),
  clock: v.optional(clock, {}),
  data: v.optional(data, {}),
  primary: v.optional(primary, {}),
  /** Without one there is the daily one; an empty list is none. */
  capture: v.optional(captures, dailyCapture),
  sync: v.optional(sync, {}),
  analytics: v.optional(analytics, {}),
  standby: v.optional(standby, {}),
  /** When the labs are in use; none: always. */
  term: v.optional(terms, []),
  health: v.optional(health, {}),
  notify: v.optional(notify, {}),
  status: v.optional(status, {}),
  log: v.optional(log, {})
})
