#!/bin/bash
# Takes Understudy off this machine; see --help.
set -euo pipefail

usage() {
  cat <<'END'
usage: uninstall.sh [--purge] [--root DIR]

Takes off what install.sh has put onto this machine, and puts back what was there: units of an older set-up that it
disabled are enabled again (and started, if they ran), credentials get back their owner and mode. Needs root.

What was recorded (/var/lib/understudy, and on a data disk), the configuration and the user understudy stay.

  --purge     Remove these too; but nothing that lies on a data disk, or in another folder that understudy.toml names.
  --root DIR  Take it off the system whose root is DIR.

Exits with 0 when it is gone, also when it was not there; 1 when something failed, 2 for a mistake in the call.
END
}

# All of it is read before anything is done: the script itself is among what is removed.
main() {
  local root='' purge=no
  while (($#)); do
    case $1 in
      --purge) purge=yes ;;
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
  [[ -n $root || -d /run/systemd/system ]] || fail 'systemd does not run here; --root / takes it off all the same'
  [[ $root != / ]] || root=''

  take_off
  put_back
  if [[ $purge == yes ]]; then purge; fi
  if is_live; then systemctl daemon-reload; fi
}

mistake() {
  usage >&2
  exit 2
}

fail() {
  printf 'uninstall.sh: %s\n' "$*" >&2
  exit 1
}

is_live() { [[ -z $root && -d /run/systemd/system ]]; }
control() { systemctl ${root:+--root="$root"} --quiet "$@"; }

take_off() {
  local unit=$root/etc/systemd/system/understudy.service journald=$root/etc/systemd/journald.conf.d/understudy.conf
  if [[ -e $unit ]]; then
    if is_live; then systemctl stop understudy.service; fi
    control disable understudy.service
  fi
  rm -f "$unit" "$root/etc/sysusers.d/understudy.conf" "$root/etc/tmpfiles.d/understudy.conf"
  if [[ -e $journald ]]; then
    rm "$journald"
    if is_live; then systemctl try-restart systemd-journald; fi
  fi
  rm -rf "$root/opt/understudy" "$root/opt/understudy.new" "$root/opt/understudy.old" "$root/usr/local/bin/understudy"
}

put_back() {
  local kept=$root/var/lib/understudy-install owner mode name state
  if is_live; then systemctl daemon-reload; fi
  if [[ -e $kept/units ]]; then
    echo 'Enabled again:'
    while read -r name state; do
      # One that is gone meanwhile must not keep the rest from being put back.
      if ! control enable "$name"; then
        echo "  $name: cannot be enabled" >&2
        continue
      fi
      if is_live && [[ $state == active ]]; then systemctl start "$name" || echo "  $name: does not start" >&2; fi
      echo "  $name"
    done <"$kept/units"
  fi
  if [[ -e $kept/modes ]]; then
    while read -r owner mode name; do
      [[ -e $root$name ]] || continue
      chown "$owner" "$root$name"
      chmod "$mode" "$root$name"
    done <"$kept/modes"
  fi
  if [[ -e $kept/made ]]; then rmdir "$root$(<"$kept/made")" 2>/dev/null || true; fi
  rm -rf "$kept"
}

purge() {
  rm -rf "$root/var/lib/understudy" "$root/etc/understudy"
  if grep -q '^understudy:' "$root/etc/passwd"; then userdel ${root:+--prefix "$root"} understudy; fi
}

main "$@"
exit
