import type { Assets } from '../assets.ts'
import { type Html, html } from '../html.ts'

export interface Page {
  /** Of the window. */
  readonly title: string
  readonly site: string
  /** Not told to those who have not given the password. */
  readonly version?: string
  readonly main: Html
}

const places = [
  ['/', 'Overview'],
  ['/graphs', 'Task graphs'],
  ['/captures/', 'Captures'],
  ['/support', 'Support bundle']
] as const

/** A whole page. Everything in `main` may be replaced while it is looked at. */
export function layout({ title, site, version, main }: Page, assets: Assets, path: string): Html {
  const links = places.map(
    ([to, name]) => html`<li><a href="${to}"${to === path ? current : undefined}>${name}</a></li>`
  )
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${site}</title>
<link rel="icon" href="${assets.url('icon.svg')}">
<link rel="stylesheet" href="${assets.url('page.css')}">
<script src="${assets.url('page.js')}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><p class="site">${site}</p><nav aria-label="Pages"><ul>${links}</ul></nav></header>
<p id="connection" role="status"></p>
<main id="main" tabindex="-1">${main}</main>
<footer>Understudy ${version}</footer>
</body>
</html>
`
}

const current = html` aria-current="page"`
