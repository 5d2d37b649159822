#!/usr/bin/env bash
# uv 0.13.9, pip compile --universal --python-version 3.11: the lock "for Python 3.11" can pin one
# package twice, by patch release. soupsieve 4.1.3 (which nbconvert needs through beautifulsoup4)
# asks for Python 3.11.5, so Debian 12's own 3.11.2 gets another major version than a 3.11.7 beside
# it. Whoever reads such a lock line by line, and takes a name's last line for its version, is right
# on one machine and wrong on the other.
#
# Output seen:
#     soupsieve==2.10 ; python_full_version < '3.11.5'
#     soupsieve==4.1.3 ; python_full_version >= '3.11.5'
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
echo 'soupsieve<=4.1.3' >wanted.in
venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
  --output-file lock wanted.in
cat lock
venv/bin/python - <<'PY'
assert open("lock").read().splitlines() == [
    "soupsieve==2.10 ; python_full_version < '3.11.5'",
    "soupsieve==4.1.3 ; python_full_version >= '3.11.5'",
]
PY
