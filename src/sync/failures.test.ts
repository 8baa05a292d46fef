import { expect, test } from 'vitest'
import { failureOf } from './failures.ts'

// What the programs of Debian 12 say.
test.each([
  [255, 'Host key verification failed.\r\nrsync: connection unexpectedly closed', 'UNDERSTUDY_SYNC_HOST_KEY'],
  [255, '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @', 'UNDERSTUDY_SYNC_HOST_KEY'],
  [255, 'understudy@primary: Permission denied (publickey).', 'UNDERSTUDY_SYNC_KEY_REFUSED'],
  [255, 'ssh: connect to host primary port 22: Connection refused', 'UNDERSTUDY_SYNC_UNREACHABLE'],
  [255, 'ssh: Could not resolve hostname primary: Name or service not known', 'UNDERSTUDY_SYNC_UNREACHABLE'],
  [255, 'kex_exchange_identification: Connection closed by remote host', 'UNDERSTUDY_SYNC_UNREACHABLE'],
  [
    12,
    '/usr/bin/rrsync error: Another instance of rrsync is already accessing this directory.',
    'UNDERSTUDY_SYNC_BUSY'
  ],
  [12, '/usr/bin/rrsync error: option --delete has been disabled on this server.', 'UNDERSTUDY_SYNC_FAR_SETUP'],
  [12, '/usr/bin/rrsync error: Restricted directory does not exist!', 'UNDERSTUDY_SYNC_FAR_SETUP'],
  [23, 'rsync: [Receiver] mkdir "/srv/x" failed: Permission denied (13)', 'UNDERSTUDY_SYNC_FAR_SETUP'],
  [11, 'rsync: [receiver] write failed on "/x": No space left on device (28)', 'UNDERSTUDY_SYNC_FAR_FULL'],
  [11, 'rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]', 'UNDERSTUDY_SYNC_FAR_FULL'],
  [11, 'rsync: [sender] write error: Broken pipe (32)', 'UNDERSTUDY_SYNC_FAR_FULL'],
  [11, 'rsync: [receiver] write failed on "/x": Input/output error (5)', 'UNDERSTUDY_SYNC_FAILED'],
  [12, 'No space left on device (28)\nrsync: connection unexpectedly closed', 'UNDERSTUDY_SYNC_FAR_FULL'],
  [12, 'rsync: connection unexpectedly closed (0 bytes received so far)', 'UNDERSTUDY_SYNC_CUT'],
  [30, 'rsync error: timeout in data send/receive (code 30)', 'UNDERSTUDY_SYNC_CUT'],
  [10, 'rsync: [sender] write error: Broken pipe (32)', 'UNDERSTUDY_SYNC_CUT'],
  [-1, '', 'UNDERSTUDY_SYNC_CUT'],
  [1, 'rsync: --link-dest: unknown option', 'UNDERSTUDY_SYNC_FAILED']
])('%d %j is %s', (code, stderr, meant) => {
  const failure = failureOf({ code, stdout: '', stderr }, 'sending')
  expect(failure.code).toBe(meant)
  expect(failure.detail).toBe(`sending (exit code ${code})`)
})

test('a full disk is the one that is written to', () => {
  const stderr = 'rsync: [receiver] write failed on "/data/sync/receipts/x": No space left on device (28)'
  const words = [stderr, 'rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]']
  for (const said of words) {
    const ended = { code: 11, stdout: '', stderr: said }
    expect(failureOf(ended, 'fetching receipts', 'near').code).toBe('UNDERSTUDY_SYNC_NEAR_FULL')
    expect(failureOf(ended, 'sending', 'far').code).toBe('UNDERSTUDY_SYNC_FAR_FULL')
  }
  const cut = { code: 12, stdout: '', stderr: 'rsync: connection unexpectedly closed' }
  expect(failureOf(cut, 'fetching receipts', 'near').code).toBe('UNDERSTUDY_SYNC_CUT')
})
