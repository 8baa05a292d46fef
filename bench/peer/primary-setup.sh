#!/bin/sh
# Makes bench/.venv, in which peer/primary.py runs, unless it is there.
set -e
venv=$(dirname "$(dirname "$(readlink -f "$0")")")/.venv
[ -e "$venv/ready" ] && exit
python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check websocket-client==1.9.2
touch "$venv/ready"
