#!/bin/sh
# Makes bench/.venv-pandas, in which peer/graphs.py runs, unless it is there.
set -e
venv=$(dirname "$(dirname "$(readlink -f "$0")")")/.venv-pandas
[ -e "$venv/ready" ] && exit
python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check pandas==2.3.3
touch "$venv/ready"
