import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Files } from '../world/files.ts'

/** Of the checkout, and of where it is installed. */
const folder = fileURLToPath(new URL('./assets', import.meta.url))

/** All there are, with their types. */
const types = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml'
} as const

export type AssetName = keyof typeof types

export interface Asset {
  readonly type: string
  readonly content: Buffer
}

/** What pages load besides themselves. */
export class Assets {
  readonly #byName: ReadonlyMap<string, Asset & { readonly mark: string }>

  private constructor(byName: ReadonlyMap<string, Asset & { readonly mark: string }>) {
    this.#byName = byName
  }

  /** What is not there is left out: pages are whole without it. */
  static async load(files: Files): Promise<Assets> {
    const loading = Object.entries(types).map(async ([name, type]) => {
      const path = `${folder}/${name}`
      if (!(await files.info(path))) return []
      const content = await files.readFile(path)
      const mark = createHash('sha256').update(content).digest('hex').slice(0, 12)
      return [[name, { type, content, mark }] as const]
    })
    return new Assets(new Map((await Promise.all(loading)).flat()))
  }

  get(name: string): Asset | undefined {
    return this.#byName.get(name)
  }

  /** Another one for other content, so that browsers may keep it for good. */
  url(name: AssetName): string {
    return `/assets/${name}?${this.#byName.get(name)?.mark}`
  }
}
