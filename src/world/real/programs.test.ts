import { expect, test } from 'vitest'
import { realPrograms } from './programs.ts'

const node = (script: string, timeoutMs = 60_000) => realPrograms.run(process.execPath, ['-e', script], { timeoutMs })

test('gives the exit code and both outputs', async () => {
  const script = 'console.log("out"); console.error("err"); process.exitCode = 3'
  expect(await node(script)).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' })
})

test('goes through no shell', async () => {
  const { stdout } = await realPrograms.run('printf', ['%s', '$HOME; `id`'], { timeoutMs: 60_000 })
  expect(stdout).toBe('$HOME; `id`')
})

test('rejects when there is no such program', async () => {
  const run = realPrograms.run('/nonexistent/program', [], { timeoutMs: 1000 })
  await expect(run).rejects.toMatchObject({ code: 'ENOENT' })
})

test('keeps the first megabyte and lets the program go on', async () => {
  const { code, stdout } = await node('process.stdout.write("x".repeat(3e6), () => process.exit(5))')
  expect(code).toBe(5)
  expect(stdout.length).toBe(1024 * 1024)
})

test('kills what takes too long, also when its children hold the output', async () => {
  const { code } = await realPrograms.run('sh', ['-c', 'sleep 20 & sleep 20'], { timeoutMs: 50 })
  expect(code).toBe(-1)
})

test('kills what is not wanted any more', async () => {
  const wanted = new AbortController()
  const options = { timeoutMs: 60_000, signal: wanted.signal, onOutput: () => wanted.abort() }
  const { code, stdout } = await realPrograms.run('sh', ['-c', 'echo begun; sleep 60'], options)
  expect({ code, stdout }).toEqual({ code: -1, stdout: 'begun\n' })
  expect((await realPrograms.run('sleep', ['60'], options)).code).toBe(-1)
})

test('tells of the output as it comes', async () => {
  const told: string[] = []
  const onOutput = (text: string): void => void told.push(text)
  await realPrograms.run('sh', ['-c', 'echo one; echo two'], { timeoutMs: 60_000, onOutput })
  expect(told.join('')).toBe('one\ntwo\n')
})
