import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { credentialFiles } from '../sim/relay/credentials.ts'
import type { Programs } from '../world/programs.ts'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import { provision } from './provision.ts'

/** The same on this machine's own files. */

/** Not every machine that runs the tests has ssh-keygen. */
const programs: Programs = {
  async run(command, args) {
    if (command !== 'ssh-keygen') return { code: 1, stdout: '', stderr: '' }
    const path = args[args.indexOf('-f') + 1]!
    if (args[0] !== '-y') await writeFile(path, 'a private key', { mode: 0o600 })
    return { code: 0, stdout: 'ssh-ed25519 AAAA understudy\n', stderr: '' }
  }
}

test('a card is taken in, and reported to', async () => {
  const folder = await temporaryDirectory()
  const [card, data] = [`${folder}/card`, `${folder}/data`]
  const world = { ...(await realWorld()), programs }
  const { files } = world
  await files.makeDirectory(`${card}/practable`)
  const pairOf = (stream: string) =>
    credentialFiles(stream, { secret: 'any', audience: 'https://relay.example', nowMs: Date.now() })
  const { accessFile, tokenFile, token } = pairOf('spin30')
  for (const { name, content } of [accessFile, tokenFile]) await writeFile(`${card}/practable/${name}`, content)
  const inTar = [pairOf('spin31').accessFile, pairOf('spin31').tokenFile].map(({ name, content }) => {
    return { header: { name: `etc/practable/${name}`, size: content.length, type: 'file' as const }, body: content }
  })
  await writeFile(`${card}/lab.tar`, await packTar(inTar))
  await writeFile(`${card}/understudy.toml`, `[data]\r\ndirectory = "${data}"\r\n[wifi]\r\nssid = "Lab"\r\n`)
  const done = await provision(world, {
    from: [card],
    to: `${data}/provision`,
    run: `${folder}/run`,
    identity: `${folder}/disk/identity`
  })
  expect(done).toMatchObject({ streams: ['spin30', 'spin31'], wrongs: [], accounts: [{ wrongs: [] }] })
  expect((await readdir(card)).sort()).toEqual(['practable', 'understudy-report.txt', 'understudy.toml'])
  const kept = `${data}/provision/credentials/log.token.spin30`
  expect(await readFile(kept, 'utf8')).toBe(`${token}\n`)
  expect((await stat(kept)).mode & 0o777).toBe(0o600)
  expect((await stat(`${folder}/run/NetworkManager/understudy-wifi.nmconnection`)).mode & 0o777).toBe(0o600)
  const report = await readFile(`${card}/understudy-report.txt`, 'utf8')
  expect(report).toContain((await readFile(`${data}/status-password`, 'utf8')).trim())
  expect(report.match(/^ssh-ed25519 AAAA understudy\r$/gm)).toHaveLength(2)

  // A password that others may read is a fault to be told, not an end.
  await chmod(`${data}/status-password`, 0o644)
  const again = await provision(world, { from: [card], to: `${data}/provision` })
  expect(again.wrongs).toMatchObject([{ code: 'UNDERSTUDY_STATUS_PASSWORD' }])
  expect(again.streams).toEqual(['spin30', 'spin31'])
})
