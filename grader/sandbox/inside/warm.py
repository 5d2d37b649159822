"""Touches what every notebook needs, so that each child finds it in memory. A zygote without torch
or matplotlib gets all modules but those that need it.

No backward pass here: it would start torch's own threads, and the zygote forks.
"""

import importlib
import os
import pkgutil
import sys


def up(packages):
    """Shell, figure, environment, network and optimiser, and all modules of ``packages``, once."""
    import gymnasium
    from pg_probes import cells

    torch, pyplot = (sys.modules.get(name) for name in ("torch", "matplotlib.pyplot"))
    if torch:
        torch.set_num_threads(1)
    missing = [name for name in ("torch", "matplotlib") if name not in sys.modules]
    for package in map(importlib.import_module, packages):
        _import_all(package, missing)
    shell = cells.create(figures=pyplot is not None)
    # The first error loads what tracebacks are told with.
    shell.run_cell("def broken():\n    return 1 / 0\nbroken()", store_history=False)
    shell.reset(new_session=False)
    if pyplot:
        _draw(pyplot)
    gymnasium.make("CartPole-v1").reset(seed=0)
    if torch:
        _step(torch)


def _import_all(package, missing):
    for name in missing:
        sys.modules[name] = None  # whoever asks for it hears that it isn't there
    try:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError:
                if not missing:
                    raise
    finally:
        for name in missing:
            del sys.modules[name]


def _draw(pyplot):
    figure, axes = pyplot.subplots()
    axes.plot([0, 1])
    figure.savefig(os.devnull, format="png")
    pyplot.close("all")


def _step(torch):
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    torch.distributions.Categorical(logits=net(torch.zeros(3, 4))).sample()
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
