import type * as v from 'valibot'
import type { Ms } from '../world/time.ts'
import type { configSchema } from './schema.ts'
import { parseSyncTarget, type SyncTarget } from './sync-target.ts'

/** A window over the journal, made on a schedule. */
export interface CaptureConfig {
  readonly name: string
  /** Five fields of cron. */
  readonly schedule: string
  /** On the wall's clock. */
  readonly durationMs: Ms
  readonly timeZone: string
  /** Names or patterns; empty: all. */
  readonly streams: readonly string[]
  readonly format: 'envelope' | 'raw' | 'parquet' | 'primary'
  /** Of the files of lines. */
  readonly compression: 'zstd' | 'gzip'
}

/** The config in force. What each value does is said in schema.ts. */
export interface Config {
  readonly site: string
  /** The site's. */
  readonly timeZone: string
  readonly streams: {
    readonly credentialsDirectory: string
    /** Names or patterns; empty: all. */
    readonly only: readonly string[]
    /** Websocket URLs. Of two that name the same stream the later one is meant. */
    readonly sockets: readonly string[]
  }
  readonly relay: {
    readonly readIntervalMs: Ms
    readonly pingIntervalMs: Ms
    readonly silenceTimeoutMs: Ms
    /** Names or patterns; see `streamMatcher`. */
    readonly live: readonly string[]
  }
  readonly journal: {
    readonly commitIntervalMs: Ms
    readonly storeSizeBytes: number
    readonly storeAgeMs: Ms
    readonly minFreeBytes: number
    readonly maxBytes: number | undefined
    readonly maxAgeMs: Ms | undefined
    readonly sealedIsConfirmed: boolean
    readonly memoryBytes: number
  }
  /** What a Pi of our own image is to be, as far as it is said; see `understudy provision`. */
  readonly host: { readonly name?: string | undefined }
  readonly wifi: {
    readonly ssid: string | undefined
    /** Never shown. */
    readonly password: string | undefined
    readonly identity: string | undefined
    readonly caFile: string | undefined
    /** Two capital letters. */
    readonly country: string | undefined
  }
  readonly network: {
    readonly proxy: string | undefined
    readonly caFile: string | undefined
    /** A fixed one, `192.168.1.20/24`. */
    readonly address: string | undefined
    readonly gateway: string | undefined
    readonly dns: readonly string[]
  }
  /** Lines of authorized_keys. */
  readonly ssh: { readonly keys: readonly string[] }
  readonly clock: { readonly trust: boolean; readonly servers: readonly string[] }
  readonly data: { readonly directory: string; readonly disk?: string | undefined }
  readonly primary: { readonly dataPath: string | undefined; readonly compPath: string | undefined }
  readonly captures: readonly CaptureConfig[]
  readonly sync: {
    /** Absent: nothing is handed over. */
    readonly target: SyncTarget | undefined
    /** The key that uploads; default: in the data folder. */
    readonly identity: string | undefined
    readonly knownHosts: string | undefined
    readonly port: number
    readonly proxyCommand: string | undefined
    /** A second. */
    readonly bandwidthBytes: number | undefined
    /** A cron expression, and the zone it is meant in. */
    readonly schedule: string
    readonly timeZone: string
    readonly recheckMs: Ms
    readonly maxAgeMs: Ms | undefined
    readonly maxBytes: number | undefined
    /** An instant, or how old the records may become. */
    readonly eraseAfter: { readonly dateMs: Ms } | { readonly ageMs: Ms } | undefined
  }
  readonly analytics: { readonly corrected: boolean }
  readonly standby: { readonly mode: 'observe' | 'answer' | 'always'; readonly afterMs: Ms }
  /** Days like `2026-09-14`, both inclusive; none: the labs are always in use. */
  readonly terms: ReadonlyArray<{ readonly from: string; readonly to: string }>
  readonly health: {
    readonly unheardMs: Ms
    /** What can be written to the disk in its life. */
    readonly enduranceBytes: number | undefined
    readonly lookIntervalMs: Ms
  }
  readonly notify: { readonly url: string | undefined }
  readonly status: {
    /** An IP address. */
    readonly address: string
    /** 0: there is no page. */
    readonly port: number
    /** Host names, in lower case. */
    readonly names: readonly string[]
    /** Default: in the data folder. */
    readonly passwordFile: string | undefined
    readonly showStudents: boolean
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/** From the file's words to the program's, with the units in the names. */
export function toConfig(file: v.InferOutput<typeof configSchema>): Config {
  const { site, streams, relay, journal, network, clock, data, primary, sync, analytics, standby, log } = file
  const { capture, time_zone, term, health, notify, status, host, wifi, ssh } = file
  return {
    site,
    timeZone: time_zone,
    streams: { credentialsDirectory: streams.credentials, only: streams.only, sockets: streams.sockets },
    relay: {
      readIntervalMs: relay.read_interval,
      pingIntervalMs: relay.ping_interval,
      silenceTimeoutMs: relay.silence_timeout,
      live: relay.live
    },
    journal: {
      commitIntervalMs: journal.commit_interval,
      storeSizeBytes: journal.store_size,
      storeAgeMs: journal.store_age,
      minFreeBytes: journal.min_free,
      maxBytes: journal.max_size,
      maxAgeMs: journal.max_age,
      sealedIsConfirmed: journal.sealed_is_confirmed,
      memoryBytes: journal.memory
    },
    host,
    wifi: {
      ssid: wifi.ssid,
      password: wifi.password,
      identity: wifi.identity,
      caFile: wifi.ca_file,
      country: wifi.country
    },
    network: {
      proxy: network.proxy,
      caFile: network.ca_file,
      address: network.address,
      gateway: network.gateway,
      dns: network.dns
    },
    ssh,
    clock,
    data,
    primary: { dataPath: primary.data_path, compPath: primary.comp_path },
    captures: capture.map(({ duration: durationMs, time_zone: own, compression = 'zstd', ...rest }) => ({
      ...rest,
      compression,
      durationMs,
      timeZone: own ?? time_zone
    })),
    sync: {
      target: sync.target === undefined ? undefined : parseSyncTarget(sync.target),
      identity: sync.identity,
      knownHosts: sync.known_hosts,
      port: sync.port,
      proxyCommand: sync.proxy_command,
      bandwidthBytes: sync.bandwidth,
      schedule: sync.schedule,
      timeZone: time_zone,
      recheckMs: sync.recheck,
      maxAgeMs: sync.max_age,
      maxBytes: sync.max_size,
      eraseAfter: sync.erase_after
    },
    analytics,
    standby: { mode: standby.mode, afterMs: standby.after },
    terms: term,
    health: {
      unheardMs: health.unheard,
      enduranceBytes: health.endurance,
      lookIntervalMs: health.look_interval
    },
    notify: { url: notify.url },
    status: {
      address: status.address,
      port: status.port,
      names: status.names,
      passwordFile: status.password_file,
      showStudents: status.show_students
    },
    log
  }
}
