import { SimulatedPrimary } from '../../src/sim/primary/primary.ts'
import { DATA, type Lab } from './lab.ts'
import { isSame } from './sealed.ts'

/** What the Pi is called in what it sends. */
export const SITE = 'pi1'
/** As the timer that we ship for the primary. */
const RECEIPTS_MS = 900_000
const HOST_KEY = 'ssh-ed25519 first'

/** The primary that sealed folders are handed to, and what is the matter with it. */
export class Far {
  readonly primary: SimulatedPrimary
  /** Folders of which a file was damaged there. */
  readonly damaged = new Set<string>()
  readonly #lab: Lab

  constructor(lab: Lab) {
    this.#lab = lab
    this.primary = new SimulatedPrimary(lab.pi, SITE)
    this.primary.hostKey = HOST_KEY
    this.primary.onReceipts = () => lab.sealed.receipts((name) => this.#receipt(name))
  }

  begin(): void {
    this.#lab.after(RECEIPTS_MS, () => {
      if (this.primary.answers) this.primary.receipts()
      this.begin()
    })
  }

  /** The next transfer breaks off somewhere. */
  cut(chance: number): void {
    this.primary.cutAfterBytes = 1 + Math.floor(chance * chance * 20_000)
  }

  /** @param chance of how little there is room for */
  fill(chance: number): void {
    const contents = new Set(this.primary.files.values())
    const used = [...contents].reduce((sum, { length }) => sum + length, 0)
    this.primary.roomBytes = used + Math.floor(chance * 10_000)
  }

  free(): void {
    this.primary.roomBytes = Number.POSITIVE_INFINITY
  }

  /** A bit turns over in a file of a folder that was put into its place. */
  damage(chance: number): void {
    const { files } = this.primary
    const there = [...files.keys()].filter((path) => path.startsWith(`${SITE}/`) && !path.startsWith(`${SITE}/.`))
    const path = there[Math.floor(chance * there.length)]
    if (path === undefined) return
    const rotten = Buffer.from(files.get(path)!)
    if (rotten.length === 0) return
    const bit = Math.floor(((chance * 7919) % 1) * rotten.length * 8)
    rotten[bit >> 3]! ^= 1 << (bit & 7)
    files.set(path, rotten)
    this.damaged.add(path.slice(SITE.length + 1, path.lastIndexOf('/')))
    this.#lab.note(`${path} is damaged on the primary`)
  }

  changeHostKey(chance: number): void {
    this.primary.hostKey = `ssh-ed25519 key${Math.floor(chance * 1e6)}`
  }

  /** @param chance below a half the old key is back; otherwise somebody finds that the new one is right */
  settleHostKey(chance: number): void {
    if (chance < 0.5) this.primary.hostKey = HOST_KEY
    else this.#forgetHostKey()
    this.#lab.syncByHand(false)
  }

  /** Everything about it is put right. */
  heal(): void {
    this.primary.reachable = true
    this.primary.answers = true
    this.primary.cutAfterBytes = Number.POSITIVE_INFINITY
    this.free()
    this.#forgetHostKey()
  }

  /** Somebody moves what is damaged out of the way, as docs/sync.md says. */
  moveAway(): void {
    const { files } = this.primary
    for (const name of this.damaged) {
      for (const file of this.primary.folder(name).keys()) files.delete(`${SITE}/${name}/${file}`)
    }
    this.primary.receipts()
  }

  /** Each folder that is to be seen there, by name. */
  folders(): Map<string, Map<string, Buffer>> {
    const folders = new Map<string, Map<string, Buffer>>()
    for (const [path, content] of this.primary.files) {
      const [site, capture = '', folder, file] = path.split('/')
      if (site !== SITE || capture.startsWith('.') || file === undefined) continue
      const name = `${capture}/${folder}`
      folders.set(name, (folders.get(name) ?? new Map<string, Buffer>()).set(file, content))
    }
    return folders
  }

  /** All that was sealed before a time is there, the same, and nothing else. */
  check(beforeUs: number): void {
    const { sealed, model } = this.#lab
    const there = this.folders()
    for (const folder of sealed.folders.values()) {
      const copy = there.get(folder.name)
      const excused =
        folder.seenUs >= beforeUs ||
        sealed.isLost(folder) ||
        (folder.goneUs !== undefined && this.damaged.has(folder.name))
      if (copy ? !isSame(copy, folder.files) : !excused) {
        throw model.broke(`${folder.name} is not with the primary as it was sealed`)
      }
    }
    for (const name of there.keys()) {
      if (!sealed.folders.has(name)) throw model.broke(`the primary has ${name}, which was never sealed`)
    }
  }

  #receipt(name: string): string | undefined {
    return this.primary.files.get(`receipts/${SITE}/${name}.sha256`)?.toString()
  }

  #forgetHostKey(): void {
    const { pi } = this.#lab
    if (pi.on) {
      pi.start()
        .files.remove(`${DATA}/sync/known_hosts`)
        .catch(() => {})
    }
  }
}
