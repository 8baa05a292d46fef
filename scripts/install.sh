#!/bin/bash
# Installs Understudy on this machine; see --help.
set -euo pipefail

usage() {
  cat <<'END'
usage: install.sh [--replace] [--from BUNDLE] [--root DIR]

Installs Understudy on a Raspberry Pi OS, Debian or Ubuntu of 64 bits, without a question, and starts it. Needs root.
Run again it brings what is there up to date, and leaves the configuration and what was recorded as they are.

  --replace      Disable the units of an older set-up that are enabled: log-NAME, session (or relay) and session-rules (or
                 relay-rules). Without it they are only listed. uninstall.sh enables them again.
  --from BUNDLE  Install this, a folder or a tar of it as `npm run bundle` makes it. Otherwise what this script is
                 part of: a bundle, or a checkout, of which one is made first (that needs Node 20 or later, and npm).
  --root DIR     Install into the system whose root is DIR; nothing is started.

What goes where:
  /opt/understudy                         the program, with its own Node
  /usr/local/bin/understudy               its command
  /etc/understudy/understudy.toml         the configuration, if there is none: every key as it is by default
  /etc/practable                          where it looks for credentials, readable by the user understudy
  /etc/systemd/system/understudy.service  its unit; and in /etc/sysusers.d and /etc/tmpfiles.d its user and its folder
  /etc/systemd/journald.conf.d            limits of the system's log, where the disk has less than 64 GB
  /var/lib/understudy                     what it records
  /var/lib/understudy-install             what uninstall.sh puts back

Exits with 0 when it is installed (and runs), 1 when something failed, 2 for a mistake in the call.
END
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

mistake() {
  usage >&2
  exit 2
}

umask 022
here=$(dirname "$(dirname "$(realpath "$0")")")
root='' replace=no from=''
while (($#)); do
  case $1 in
    --replace) replace=yes ;;
    --from)
      [[ -e ${2:-} ]] || mistake
      from=$(realpath "$2")
      shift
      ;;
    --root)
      [[ -d ${2:-} ]] || mistake
      root=$(realpath "$2")
      shift
      ;;
    --help)
      usage
      exit
      ;;
    *) mistake ;;
  esac
  shift
done
((EUID == 0)) || fail 'needs root: call it with sudo'
[[ -n $root || -d /run/systemd/system ]] || fail 'systemd does not run here; --root / installs all the same'
[[ $root != / ]] || root=''
case $(dpkg --print-architecture) in
  amd64) arch=x64 ;;
  arm64) arch=arm64 ;;
  *) fail 'needs a system of 64 bits, amd64 or arm64 (a Pi 3 or later runs one): Node 24 is not made for others' ;;
esac

is_live() { [[ -z $root && -d /run/systemd/system ]]; }
control() { systemctl ${root:+--root="$root"} --quiet "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kept=$root/var/lib/understudy-install

# Sets `bundle` to the folder that is installed.
find_bundle() {
  if [[ -d $from ]]; then
    bundle=$from
  elif [[ -n $from ]]; then
    tar -C "$work" -xf "$from"
    bundle=$(dirname "$(dirname "$(find "$work" -maxdepth 3 -path '*/bin/understudy')")")
  elif [[ -x $here/node/bin/node ]]; then
    bundle=$here
  else
    make_bundle
  fi
  "$bundle/node/bin/node" --version >/dev/null 2>&1 || fail "${from:-$here} holds no Understudy that runs on this machine"
}

make_bundle() {
  command -v npm >/dev/null ||
    fail 'a checkout is installed with npm (apt-get install npm); or give --from a bundle that was made elsewhere'
  say 'Putting the program together, which takes a few minutes on a Pi …'
  # By whoever the checkout belongs to: what is made in it stays theirs.
  local owner
  owner=$(stat -c %U "$here")
  chmod 711 "$work"
  install -d -o "$owner" "$work/made"
  bundle=$work/made/understudy
  if [[ $owner == root ]]; then
    node "$here/scripts/bundle.mjs" "$bundle" "$arch"
  else
    runuser -u "$owner" -- env HOME="$(getent passwd "$owner" | cut -d: -f6)" PATH="$PATH" \
      node "$here/scripts/bundle.mjs" "$bundle" "$arch"
  fi
}

install_program() {
  local opt=$root/opt/understudy
  rm -rf "$opt.new" "$opt.old"
  mkdir -p "$root/opt" "$root/usr/local/bin"
  cp -r --preserve=mode,links,timestamps "$bundle" "$opt.new"
  chown -R 0:0 "$opt.new"
  chmod -R u=rwX,go=rX "$opt.new"
  [[ ! -e $opt ]] || mv "$opt" "$opt.old"
  mv "$opt.new" "$opt"
  rm -rf "$opt.old"
  ln -sfn /opt/understudy/bin/understudy "$root/usr/local/bin/understudy"
}

install_units() {
  local units=$root/opt/understudy/systemd drop_in
  install -D -m 644 "$units/understudy.service" "$root/etc/systemd/system/understudy.service"
  for drop_in in sysusers.d tmpfiles.d; do
    install -D -m 644 "$units/$drop_in/understudy.conf" "$root/etc/$drop_in/understudy.conf"
  done
  systemd-sysusers ${root:+--root="$root"} "$root/etc/sysusers.d/understudy.conf"
  systemd-tmpfiles ${root:+--root="$root"} --create "$root/etc/tmpfiles.d/understudy.conf"
  group=$(awk -F: '$1 == "understudy" { print $3 }' "$root/etc/group")
  if (($(df --output=size -B 1000000000 "$root/var" | tail -n 1) < 64)); then
    install -D -m 644 "$units/journald.conf.d/understudy.conf" "$root/etc/systemd/journald.conf.d/understudy.conf"
    if is_live; then systemctl try-restart systemd-journald; fi
  fi
}

install_config() {
  local config=$root/etc/understudy/understudy.toml
  [[ -e $config ]] && return
  # It may be given a secret.
  install -D -m 640 -g "$group" "$root/opt/understudy/docs/understudy.example.toml" "$config"
}

# Lets the user understudy read the credentials, where it cannot; what was changed is kept.
open_credentials() {
  local folder=$root/etc/practable file
  if [[ ! -e $folder ]]; then
    install -d -m 2750 -g "$group" "$folder"
    echo /etc/practable >"$kept/made"
  fi
  [[ -n $(find "$folder" -maxdepth 0 -perm -o=rx) ]] || give "$folder" g+rxs
  for file in "$folder"/log.access.* "$folder"/log.token.*; do
    [[ ! -f $file || -n $(find "$file" -perm -o=r) ]] || give "$file" g+r
  done
}

give() {
  local name=${1#"$root"}
  [[ $(stat -c %g "$1") == "$group" && -n $(find "$1" -maxdepth 0 -perm "-${2%s}") ]] && return
  grep -qs " $name\$" "$kept/modes" || stat -c "%u:%g %a $name" "$1" >>"$kept/modes"
  chgrp "$group" "$1"
  chmod "$2" "$1"
}

# The enabled units of an older set-up, one a line: the recorders, the session host they listen to, what gives it its rules.
older_units() {
  local name
  control list-unit-files --type=service --state=enabled --no-legend --no-pager | while read -r name _; do
    case $name in
      log-*.service) says "$name" 'LOG_URL=|client\.py' && echo "$name" ;;
      session.service | relay.service) says "$name" '^ExecStart=.* host( |$)' && echo "$name" ;;
      session-rules.service | relay-rules.service) echo "$name" ;;
    esac
  done || true
}

# Whether a unit's file, or a drop-in of it, has such a line.
says() {
  local folder
  for folder in etc usr/local/lib usr/lib lib; do
    folder=$root/$folder/systemd/system
    grep -Eqs "$2" "$folder/$1" "$folder/$1.d"/*.conf && return
  done
  return 1
}

replace_older() {
  local -a units=()
  local unit
  mapfile -t units < <(older_units)
  ((${#units[@]})) || return 0
  if [[ $replace == no ]]; then
    say 'Of an older set-up these are enabled; they do Understudy no harm. To disable them: install.sh --replace'
    printf '  %s\n' "${units[@]}"
    return
  fi
  say 'Of an older set-up, disabled (uninstall.sh enables them again):'
  for unit in "${units[@]}"; do
    if [[ $unit != log-* ]] && grep -Eqs '^[^#]*wss?://(localhost|127\.|\[::1\])' "$root/etc/understudy/understudy.toml"; then
      say "  not $unit: understudy.toml names a local session host"
      continue
    fi
    local active=inactive
    if is_live && systemctl --quiet is-active "$unit"; then active=active; fi
    echo "$unit $active" >>"$kept/units"
    control disable "$unit"
    if is_live; then systemctl stop "$unit"; fi
    say "  $unit"
  done
}

install_further_programs() {
  local -a missing=()
  [[ -x $root/usr/bin/rsync ]] || missing+=(rsync)
  [[ -x $root/usr/bin/ssh ]] || missing+=(openssh-client)
  # By it systemd says whether the clock is synchronised.
  [[ -x $root/usr/bin/dbus-daemon || -x $root/usr/bin/dbus-broker-launch ]] || missing+=(dbus)
  ((${#missing[@]})) || return 0
  if [[ -z $root ]] && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; then
    return
  fi
  say "To hand over to a primary, and to know the time, it will need: apt-get install ${missing[*]}"
}

start() {
  control enable understudy.service
  if ! is_live; then
    say 'Understudy is installed, and starts with the system.'
    return
  fi
  systemctl daemon-reload
  systemctl restart understudy.service ||
    fail 'it was installed, and does not start: see journalctl -u understudy; it is tried again and again'
  say 'Understudy is recording. Next: credentials into /etc/practable, then: sudo understudy doctor; sudo understudy status'
}

find_bundle
install -d "$kept"
install_program
install_units
install_config
open_credentials
install_further_programs
start
replace_older
