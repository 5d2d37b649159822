"""Touches what every notebook needs, so that each child finds it in memory.

No backward pass here: it would start torch's own threads, and the zygote forks.
"""

import importlib
import os
import pkgutil


def up(packages):
    """Shell, figure, environment, network and optimiser, and all modules of ``packages``, once."""
    import gymnasium
    import matplotlib.pyplot as plt
    import torch
    from pg_probes import cells

    torch.set_num_threads(1)
    for package in map(importlib.import_module, packages):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    shell = cells.create()
    shell.run_cell("None", store_history=False)
    shell.reset(new_session=False)
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    figure.savefig(os.devnull, format="png")
    plt.close("all")
    gymnasium.make("CartPole-v1").reset(seed=0)
    _step(torch)


def _step(torch):
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    torch.distributions.Categorical(logits=net(torch.zeros(3, 4))).sample()
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
