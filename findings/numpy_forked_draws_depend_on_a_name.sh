#!/usr/bin/env bash
# numpy 2.4.6: `import numpy` doesn't load numpy.random; the first use of the name does, and draws
# the global generator's seed there. Processes forked after the import alone each get a seed of
# their own and draw different numbers. Where the parent had merely named numpy.random before the
# fork, without a draw, all of its children draw the same numbers. So whether parallel workers
# repeat one another hangs on a line that looks as if it did nothing, and a test that forks after
# the import alone can't see that a worker forgot to seed.
#
# Output seen:
#     numpy.random is loaded by import numpy: False
#     two children draw alike: False
#     two children draw alike, once the parent has named numpy.random: True
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check numpy==2.4.6
venv/bin/python - <<'PY'
import os
import sys

import numpy


def alike():
    """Whether two forked children draw the same number first."""
    told = []
    for _child in range(2):
        reading, writing = os.pipe()
        if not os.fork():
            os.write(writing, repr(float(numpy.random.random())).encode())
            os._exit(0)
        os.wait()
        told.append(os.read(reading, 100))
    return told[0] == told[1]


loaded = "numpy.random" in sys.modules
print("numpy.random is loaded by import numpy:", loaded)
before = alike()
print("two children draw alike:", before)
numpy.random
after = alike()
print("two children draw alike, once the parent has named numpy.random:", after)
assert not loaded and not before and after
PY
