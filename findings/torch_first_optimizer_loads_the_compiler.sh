#!/usr/bin/env bash
# torch 2.13.0: to make an optimiser, any optimiser, loads torch's compiler. `import torch`, a network,
# its loss and a backward pass do without; the first torch.optim.SGD loads torch._dynamo and with it
# sympy, hundreds of modules and more than a second, though nothing is compiled. So the first training
# cell of a session is slow for a reason that isn't in it, a time limit around it measures an import,
# and processes that are forked after `import torch` alone pay it each.
#
# Output seen:
#     after import, forward and backward: torch._dynamo False, sympy False
#     after torch.optim.SGD(...): torch._dynamo True, sympy True, more than 500 modules more
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import torch


def loaded():
    return "torch._dynamo" in sys.modules, "sympy" in sys.modules


net = torch.nn.Linear(3, 2)
net(torch.ones(4, 3)).square().mean().backward()
before, modules = loaded(), len(sys.modules)
print("after import, forward and backward: torch._dynamo {}, sympy {}".format(*before))
torch.optim.SGD(net.parameters(), lr=0.1)
after, more = loaded(), len(sys.modules) - modules
many = "more than 500" if more > 500 else str(more)
print("after torch.optim.SGD(...): torch._dynamo {}, sympy {}, {} modules more".format(*after, many))
assert before == (False, False) and after == (True, True) and more > 500
PY
