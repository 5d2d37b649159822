"""Networks: shapes, starting points, and that they can be trained."""

import numpy as np
import pytest
import torch

import policy_gradients as pg


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda obs: obs])
def test_tables_look_their_states_up(kind):
    policy, critic = pg.TabularPolicy(4, 3), pg.TabularCritic(4)
    with torch.no_grad():
        policy.theta.copy_(torch.arange(12.0).reshape(4, 3))
        critic.table.copy_(torch.arange(4.0))
    obs = [[0, 3], [1, 1]]
    assert policy(kind(obs)).shape == (2, 2, 3)
    assert policy(kind(obs))[0, 1].tolist() == [9, 10, 11]
    assert critic(kind(obs)).tolist() == [[0, 3], [1, 1]]
    assert policy(kind(2)).tolist() == [6, 7, 8]
    assert critic(np.int64(2)).shape == ()


def test_tables_start_at_zero_and_get_gradients():
    policy, critic = pg.TabularPolicy(3, 2), pg.TabularCritic(3)
    assert not policy.theta.any() and not critic.table.any()
    (policy(1)[0] + 2 * policy(1)[0] + critic([0, 0]).sum()).backward()
    assert policy.theta.grad.tolist() == [[0, 0], [3, 0], [0, 0]]
    assert critic.table.grad.tolist() == [2, 0, 0]


def test_perceptron_shapes():
    obs = np.random.default_rng(0).normal(size=(5, 2, 4))
    assert pg.MLP(4, 3)(obs).shape == (5, 2, 3)
    assert pg.MLP(4, 1)(obs).shape == (5, 2, 1)
    assert pg.MLP(4)(obs).shape == (5, 2)
    assert pg.MLP(4, 3)(obs[0, 0]).shape == (3,)
    assert pg.MLP(4)(torch.zeros(4)).shape == ()


def test_perceptron_is_what_the_docstring_says():
    net = pg.MLP(4, 3, hidden=(8, 5), gain=0.01)
    linear = [layer for layer in net.layers if hasattr(layer, "weight")]
    layers = [(layer.in_features, layer.out_features) for layer in linear]
    assert layers == [(4, 8), (8, 5), (5, 3)]
    x = torch.randn(6, 4)
    first, second, third = linear
    by_hand = torch.tanh(torch.tanh(x @ first.weight.T) @ second.weight.T) @ third.weight.T
    torch.testing.assert_close(net(x), by_hand)  # and so the biases are zero


@pytest.mark.parametrize("gain", [0.01, 1.0])
def test_layers_start_orthogonal_with_their_gain(gain):
    net = pg.MLP(6, 3, hidden=(10,), gain=gain)
    hidden, last = (layer.weight for layer in net.layers if hasattr(layer, "weight"))
    torch.testing.assert_close(hidden.T @ hidden, 2 * torch.eye(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(last @ last.T, gain**2 * torch.eye(3), atol=1e-5, rtol=0)


def test_perceptron_keeps_its_own_precision():
    net = pg.MLP(4, 2).double()
    assert net(np.zeros((1, 4), dtype=np.float32)).dtype == torch.float64
    assert pg.MLP(4, 2)(np.zeros((1, 4))).dtype == torch.float32


def test_perceptron_without_hidden_layers_is_linear():
    net = pg.MLP(2, None, hidden=())
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    values = net(x)
    assert values[2].item() == pytest.approx((values[0] + values[1]).item(), abs=1e-6)


def test_a_seed_gives_the_same_weights():
    nets = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        nets.append(pg.MLP(3, 2)(torch.ones(3)))
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])
