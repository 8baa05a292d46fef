#!/bin/sh
# Makes test/formats/.venv, in which read-parquet.py runs, unless it is there.
set -e
venv=$(dirname "$(readlink -f "$0")")/.venv
[ -e "$venv/ready" ] && exit
python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0
touch "$venv/ready"
