/** HTML, which only the functions of this file make: whatever else is put into it stays text. */
export class Html {
  readonly text: string
  /** The same without the texts that `live` marks: as long as it stays, the page needs no other change than these. */
  readonly shape: string
  /** The marked texts, by the ids of their elements. */
  readonly values: ReadonlyMap<string, string>

  constructor(text: string, shape: string, values: ReadonlyMap<string, string>) {
    this.text = text
    this.shape = shape
    this.values = values
  }
}

export type Part = Html | string | number | undefined | readonly Part[]

/** A template of HTML: each part is escaped, for text and for attributes in double quotes, unless it is HTML itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return joined(parts.map(toHtml), strings)
}

/** A text that changes from moment to moment, in an element with an id of its own. */
export function live(id: string, text: string): Html {
  const [whole, without] = [html`<span id="${id}">${text}</span>`, html`<span id="${id}"></span>`]
  return new Html(whole.text, without.text, new Map([[id, text]]))
}

/** What another part of the program has drawn, with everything in it escaped. */
export function drawing(svg: string): Html {
  return new Html(svg, svg, none)
}

const none: ReadonlyMap<string, string> = new Map()

function toHtml(part: Part): Html {
  if (part instanceof Html) return part
  if (isList(part)) return joined(part.map(toHtml), [])
  return drawing(part === undefined ? '' : escaped(String(part)))
}

function isList(part: Part): part is readonly Part[] {
  return Array.isArray(part)
}

/**
 * Pages are made again and again while somebody looks: strings are put together without being copied, and what has no
 * texts marked in it is its own shape.
 * @param between what is before each of them, and at the end
 */
function joined(all: readonly Html[], between: readonly string[]): Html {
  let [text, shape] = ['', '']
  let values: Map<string, string> | undefined
  for (const [at, part] of all.entries()) {
    const before = between[at] ?? ''
    text += before + part.text
    shape += before + part.shape
    if (part.values.size === 0) continue
    values ??= new Map()
    for (const [id, value] of part.values) values.set(id, value)
  }
  const end = between[all.length] ?? ''
  return values ? new Html(text + end, shape + end, values) : drawing(text + end)
}

function escaped(text: string): string {
  if (/^[\w .,:;/%()-]*$/.test(text)) return text
  const shown = text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return shown.replace(/[&<>"'`]/g, (one) => `&#${one.charCodeAt(0)};`)
}
