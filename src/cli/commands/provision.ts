import { resolve } from 'node:path'
import type { Account } from '../../provision/account.ts'
import { provision as takeIn } from '../../provision/provision.ts'
import type { Wrong } from '../../provision/wrong.ts'
import { type Command, jsonOption, usage } from '../command.ts'
import { plural } from '../text.ts'

export const provision: Command = {
  name: 'provision',
  summary: 'takes in configuration and credentials from a card or stick, and reports back to it',
  operandCount: { min: 0, max: 0 },
  description: [
    'Looks through each folder of --from, and the folders in it, for understudy.toml and for log.access.* and log.token.* files, also in a .tar, .tar.gz or .tgz. What is good is put into the folder of --to, where `understudy run` finds it; what is not is told. The Pi calls it at every start and whenever a stick is plugged in; it may be called again at any time, and may be ended at any moment: what was in use stays, whole. Two at once must not work on one --to.',
    'Of each stream the valid token that expires last is kept, whether it was there or is brought. Credentials are moved: removed from where they came from once the same is in place, read back and on the disk. What was not taken stays there, and the report says why.',
    'A config stays where it is. It is taken in when it is valid and has changed since the last one from its folder; one with a mistake is told of by its lines, and the last good one stays in force. The same file with only comments in it changes nothing. A ca_file may be the name of a file beside it, of which a copy is kept.',
    'What the system is to be told of its name, network, time servers and radio is written below --run, for whoever calls this to put where it acts: hostname, NetworkManager/*.nmconnection, timesyncd.conf, regdomain. Who may log in is in authorized_keys in --to. Nothing is restarted.',
    'With --identity a copy of what makes this machine the one it is (the folder of --to and, beside it, the keys for the primary, the password of the page, the host keys in system/ssh) is kept on the data disk, and taken from there where there is none here: on a card that was written anew. The copy of another machine is moved aside; but an identity that was made here because the disk came late, and under which nothing has been sealed yet, gives way to the one on the disk.',
    'The report, understudy-report.txt, is written into each folder that can be written: what was taken and what is wrong, each stream with the end of its token, the address and the password of the page, the addresses of the machine, and the public keys for the primary. The keys and the password are made if there are none.'
  ],
  options: {
    from: {
      value: 'DIR',
      multiple: true,
      help: 'A folder that may bring something. Of two that bring a config, the one named last counts.'
    },
    to: { value: 'DIR', help: 'The folder where it is kept: understudy.toml, credentials/.' },
    base: {
      value: 'FILE',
      help: 'A config whose keys hold where the one that was brought does not say otherwise: what belongs to this kind of machine.'
    },
    run: { value: 'DIR', help: 'Below it is written what the system is to be told; without it, nothing is.' },
    identity: {
      value: 'DIR',
      help: 'The folder of the copy, at the top of the data disk. Left alone while no disk is mounted there.'
    },
    remount: {
      help: 'Each folder of --from is a mount of its own that is read-only: it is made writable while something is removed from it or the report has changed, and read-only again.'
    },
    owner: { value: 'USER', help: 'The user who records, to whom what was taken in is given, where root calls this.' },
    ...jsonOption
  },
  exits: { 1: 'No stream can be recorded with what is in place.' },
  examples: [
    ['provision --from /boot/firmware --to /srv/provision', 'As the Pi does at its start.'],
    ['provision --from /media/stick --to /srv/provision --json', 'Of a stick, for a script.']
  ],
  async run({ world, terminal, options }) {
    const to = options.text('to')
    const from = options.texts('from')
    const path = (name: string): string | undefined => {
      const given = options.text(name)
      return given === undefined ? undefined : resolve(given)
    }
    if (from.length === 0) usage('provision expects --from DIR')
    if (to === undefined) usage('provision expects --to DIR')
    const done = await takeIn(world, {
      from: from.map((directory) => resolve(directory)),
      to: resolve(to),
      base: path('base'),
      run: path('run'),
      identity: path('identity'),
      owner: options.text('owner'),
      remount: options.has('remount')
    })
    const { accounts, wrongs, streams } = done
    if (options.has('json')) await terminal.out(`${JSON.stringify(done)}\n`)
    else {
      for (const account of accounts) await terminal.out(accountText(account))
      await terminal.out(wrongText(wrongs))
      await terminal.out(`${plural(streams.length, 'stream')} can be recorded\n`)
    }
    return streams.length > 0 ? 0 : 1
  }
}

function accountText({ directory, taken, wrongs }: Account): string {
  const lines = taken.map((what) => `taken from ${directory}: ${what}\n`)
  return `${lines.join('')}${wrongText(wrongs, `${directory}: `)}`
}

function wrongText(wrongs: readonly Wrong[], whose = ''): string {
  return wrongs.map(({ code, where, what, remedy }) => `${code}: ${whose}${where}: ${what} (${remedy})\n`).join('')
}
