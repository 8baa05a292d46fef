import { TomlDate } from 'smol-toml'
import * as v from 'valibot'
import { duration, expected, section, size, text } from './values.ts'

const dayForm = 'a day, like 2026-09-14'

/** As `2026-09-14`. */
const day = v.pipe(
  v.instance(TomlDate, expected(dayForm)),
  v.check((date) => date.isDate(), expected(dayForm)),
  v.transform((date) => date.toISOString())
)

/** One of `[[term]]`: days on which the labs are in use, the last one too, in the site's zone. */
const term = v.pipe(
  section({ from: day, to: day }),
  v.forward(
    v.check(({ from, to }) => from <= to, 'found a day before `from`, expected one that is not'),
    ['to']
  )
)

/** All of them. */
export const terms = v.array(term, expected('tables, [[like_this]]'))

/** When somebody is to look. */
export const health = section({
  /** So long a stream may be unheard before that is a failure. */
  unheard: v.optional(duration('1s', '7d'), '5m'),
  /** So much can be written to the disk in its life, as its maker states. */
  endurance: v.optional(size('1GB', '9000TB')),
  /** How often it is looked how everything stands; the machine's sensors are read once a minute. */
  look_interval: v.optional(duration('1s', '5m'), '2s')
})

const urlForm = 'an https URL'

/** Whom it calls by itself. */
export const notify = section({
  /** Each new verdict is POSTed there as JSON, and every hour that it lives. It may hold a secret, and is never shown. */
  url: v.optional(text(urlForm, (url) => /^https:\/\/[^\s#]+$/.test(url) && URL.canParse(url)))
})
