import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Sets (argument 1: `status maxerror`) or gives `status maxerror` of the kernel's clock, by adjtimex. */
const ADJTIMEX = `
import ctypes, struct, sys
timex = ctypes.create_string_buffer(256)
if len(sys.argv) > 1:
    struct.pack_into('=I', timex, 0, 0x10 | 0x4)
    struct.pack_into('=q', timex, 24, int(sys.argv[2]))
    struct.pack_into('=i', timex, 40, int(sys.argv[1]))
lib = ctypes.CDLL(None, use_errno=True)
if lib.adjtimex(timex) == -1:
    sys.exit('adjtimex is refused: errno %d' % ctypes.get_errno())
print(struct.unpack_from('=i', timex, 40)[0], struct.unpack_from('=q', timex, 24)[0])
`
const STA_UNSYNC = 0x40

/** What this machine's kernel says of its clock; needs root. The time itself is not touched. */
export class KernelClock {
  readonly #status: number
  readonly #maxErrorUs: number

  private constructor(status: number, maxErrorUs: number) {
    this.#status = status
    this.#maxErrorUs = maxErrorUs
  }

  static async take(): Promise<KernelClock> {
    const [status, maxErrorUs] = (await adjtimex()).split(' ').map(Number) as [number, number]
    return new KernelClock(status, maxErrorUs)
  }

  async synchronised(is: boolean): Promise<void> {
    await (is ? adjtimex(this.#status & ~STA_UNSYNC, 0) : adjtimex(this.#status | STA_UNSYNC, 16_000_000))
  }

  async giveBack(): Promise<void> {
    await adjtimex(this.#status, this.#maxErrorUs)
  }
}

async function adjtimex(...set: number[]): Promise<string> {
  return (await run('python3', ['-c', ADJTIMEX, ...set.map(String)])).stdout.trim()
}
