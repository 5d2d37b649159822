"""Touches what every notebook needs, so that each child finds it in memory. A zygote without torch
gets all modules but those that need it.

No backward pass here: it would start torch's own threads, and the zygote forks.
"""

import importlib
import os
import pkgutil
import sys


def up(packages):
    """Shell, figure, environment, network and optimiser, and all modules of ``packages``, once."""
    import gymnasium
    import matplotlib.pyplot as plt
    from pg_probes import cells

    torch = sys.modules.get("torch")
    if torch:
        torch.set_num_threads(1)
    for package in map(importlib.import_module, packages):
        _import_all(package, torch is not None)
    shell = cells.create()
    # The first error loads what tracebacks are told with.
    shell.run_cell("def broken():\n    return 1 / 0\nbroken()", store_history=False)
    shell.reset(new_session=False)
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    figure.savefig(os.devnull, format="png")
    plt.close("all")
    gymnasium.make("CartPole-v1").reset(seed=0)
    if torch:
        _step(torch)


def _import_all(package, with_torch):
    if not with_torch:
        sys.modules["torch"] = None  # whoever asks for it hears that it isn't there
    try:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError:
                if with_torch:
                    raise
    finally:
        if not with_torch:
            del sys.modules["torch"]


def _step(torch):
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    torch.distributions.Categorical(logits=net(torch.zeros(3, 4))).sample()
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
