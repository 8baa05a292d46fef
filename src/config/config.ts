import type * as v from 'valibot'
import type { Ms } from '../world/time.ts'
import type { configSchema } from './schema.ts'

/** The config in force. What each value does is said in schema.ts. */
export interface Config {
  readonly site: string
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
    readonly memoryBytes: number
  }
  readonly network: { readonly proxy: string | undefined; readonly caFile: string | undefined }
  readonly clock: { readonly trust: boolean }
  readonly data: { readonly directory: string }
  readonly primary: { readonly dataPath: string | undefined; readonly compPath: string | undefined }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/** From the file's words to the program's, with the units in the names. */
export function toConfig(file: v.InferOutput<typeof configSchema>): Config {
  const { site, streams, relay, journal, network, clock, data, primary, log } = file
  return {
    site,
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
      memoryBytes: journal.memory
    },
    network: { proxy: network.proxy, caFile: network.ca_file },
    clock,
    data,
    primary: { dataPath: primary.data_path, compPath: primary.comp_path },
    log
  }
}
