import { mkdir, writeFile } from 'node:fs/promises'

const recorder = (stream: string): string =>
  [
    '[Unit]',
    'Description=session host streaming service',
    'After=network.target session.service session-rules.service',
    '[Service]',
    `Environment="LOG_URL=ws://localhost:8888/ws/${stream}"`,
    'Restart=on-failure',
    'ExecStart=/usr/bin/python3 /opt/analytics/client.py',
    '[Install]',
    'WantedBy=multi-user.target',
    ''
  ].join('\n')

const service = (exec: string, wantedBy: string): string =>
  `[Service]\n${exec}\n[Install]\nWantedBy=multi-user.target${wantedBy}\n`

/** Units as the old way of logging has them, and two that only look like them. */
const units: Readonly<Record<string, string>> = {
  'log-spin30.service': recorder('spin30'),
  'log-spin31.service': recorder('spin31'),
  'log-pend00.service': recorder('pend00'),
  'session.service': service('ExecStart=/usr/local/bin/session-relay host', ' session-rules.service'),
  'session-rules.service': service('Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/session-rules', ''),
  'log-shipper.service': service('ExecStart=/usr/bin/sleep infinity', ''),
  'relay.service': service('ExecStart=/usr/local/bin/relay-of-mail', '')
}

/** What install.sh finds of them, where log-spin31 is not enabled. */
export const found: readonly string[] = [
  'log-pend00.service',
  'log-spin30.service',
  'session-rules.service',
  'session.service'
]

/** Puts the old way of logging onto a system; nothing is enabled yet. */
export async function olderSetup(root: string): Promise<void> {
  await mkdir(`${root}/etc/systemd/system`, { recursive: true })
  for (const [name, text] of Object.entries(units)) await writeFile(`${root}/etc/systemd/system/${name}`, text)
}

/** Those that are enabled: all but one. */
export const enabled: readonly string[] = Object.keys(units).filter((name) => name !== 'log-spin31.service')
