"""sbx: its own collection and its own update step, with scripted networks."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import optax
import sbx
from answers import INPUTS, Answers, defaults
from flax.training.train_state import TrainState
from sbx.common.on_policy_algorithm import OnPolicyAlgorithmJax
from sbx.common.utils import KLAdaptiveLR
from scripted import Scripted, value_of

NAMES = [
    "learning_rate",
    "n_steps",
    "batch_size",
    "n_epochs",
    "gamma",
    "gae_lambda",
    "clip_range",
    "clip_range_vf",
    "normalize_advantage",
    "ent_coef",
    "vf_coef",
    "max_grad_norm",
    "target_kl",
]


def gae():
    """The advantages after collect_rollouts."""
    script = INPUTS["gae"]
    steps = len(script["rewards"])
    made = sbx.PPO(
        "MlpPolicy",
        Scripted(),
        n_steps=steps,
        batch_size=steps,
        gamma=script["gamma"],
        gae_lambda=script["lam"],
    )

    def values(obs):
        return np.array([value_of(one) for one in np.asarray(obs).flatten()], np.float32)

    made.policy.predict_all = lambda obs, key: (np.zeros(1, int), np.zeros(1), values(obs))
    made.vf = SimpleNamespace(apply=lambda params, obs: values(obs))
    _total, callback = made._setup_learn(steps)
    made.collect_rollouts(made.env, callback, made.rollout_buffer, steps)
    return made.rollout_buffer.advantages[:, 0]


class Given:
    """A distribution whose log-probabilities are the parameters."""

    def __init__(self, logp):
        self.logp = logp

    def log_prob(self, actions):
        return self.logp

    def entropy(self):
        return jnp.zeros_like(self.logp)


def updated(logp, logp_old, adv, values=None, returns=None, normalize=False):
    """((policy's loss, ratio), gradient in logp, critic's loss) of one update."""
    sgd, zeros = optax.sgd(1.0), jnp.zeros(len(adv))
    values = zeros if values is None else jnp.array(values)
    actor = TrainState.create(
        apply_fn=lambda params, obs: Given(params["logp"]), params={"logp": jnp.array(logp)}, tx=sgd
    )
    critic = TrainState.create(
        apply_fn=lambda params, obs: params["v"], params={"v": values}, tx=sgd
    )
    (actor, _critic), (_total, loss, _entropy, value_loss, ratio) = sbx.PPO._one_update(
        actor_state=actor,
        vf_state=critic,
        observations=zeros,
        actions=zeros,
        advantages=jnp.array(adv),
        returns=zeros if returns is None else jnp.array(returns),
        old_log_prob=jnp.array(logp_old),
        clip_range=0.2,
        ent_coef=0.0,
        vf_coef=0.5,
        normalize_advantage=normalize,
    )
    return loss, ratio, jnp.array(logp) - actor.params["logp"], value_loss


def whitened(adv):
    _loss, _ratio, gradient, _value = updated(
        [0.0] * len(adv), [0.0] * len(adv), adv, normalize=True
    )
    return -gradient * len(adv)


def adapted():
    """Learning rates after ten updates that each go ten times too far."""
    rate = KLAdaptiveLR(target_kl=0.01, current_adaptive_lr=3e-4)
    for _ in range(10):
        rate.update(0.1)
    low = rate.current_adaptive_lr
    for _ in range(30):
        rate.update(0.0)
    return {"after ten far updates": low, "after thirty short ones": rate.current_adaptive_lr}


answers = Answers("sbx-rl")
answers.run("gae", OnPolicyAlgorithmJax.collect_rollouts, gae())
adv = INPUTS["whitening"]["adv"]
update = sbx.PPO._one_update.__wrapped__
note = "per minibatch"
answers.run("whitening", update, {"adv": whitened(adv), "of_one": whitened(adv[:1])}, note)
given = INPUTS["clip"]
loss, ratio, _gradient, _value = updated(given["logp"], given["logp_old"], given["adv"])
answers.run("clip", update, {"loss": loss})
answers.read(
    "clip_fraction, approx_kl", sbx.PPO.train, "both sides; k3 with 1e-7 inside; all epochs"
)
given = INPUTS["values"]
zeros = [0.0] * 4
value_loss = updated(zeros, zeros, zeros, given["values"], given["returns"])[-1]
answers.run("values", update, {"loss": value_loss}, "logged with its weight of 0.5")
answers.read("values with clip", sbx.PPO.train, "clip_range_vf is accepted and not used")
answers.run("target_kl", KLAdaptiveLR.update, adapted(), "moves the learning rate, never stops")
answers.run("defaults", sbx.PPO.__init__, defaults(sbx.PPO.__init__, *NAMES))
answers.write()
