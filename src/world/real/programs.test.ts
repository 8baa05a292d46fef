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
