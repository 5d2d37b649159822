"""Answers for whitening, entropy, explained variance."""

import numpy as np
import torch

from bank import right, wrong


@right("normalize_advantages")
def vectorised(adv):
    if adv.max() == adv.min():
        return adv * 0.0
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@right("normalize_advantages")
def unbiased_with_a_guard(adv):
    adv = np.asarray(adv, dtype=np.float32)
    if adv.size < 2 or (adv == adv.flat[0]).all():
        return np.zeros_like(adv)
    return (adv - adv.mean()) / adv.std(ddof=1)


@right("normalize_advantages")
def with_torch(adv):
    adv = torch.as_tensor(np.array(adv))
    adv = adv - adv.flatten()[0]  # equal numbers are exactly 0 from here on
    return (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-6)


@right("normalize_advantages")
def different_numbers_counted(adv):
    if len(np.unique(adv)) == 1:
        return np.zeros(np.shape(adv))
    return (adv - np.mean(adv)) / np.std(adv)


@wrong("normalize_advantages", "equal-not-zero")
def the_usual_line(adv):
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@wrong("normalize_advantages", "equal-not-zero")
def the_usual_line_with_torch(adv):
    adv = torch.as_tensor(np.array(adv))
    return (adv - adv.mean()) / (adv.std(unbiased=False) + 1e-6)


@wrong("normalize_advantages", "equal-not-zero")
def guarded_by_the_deviation(adv):
    return np.zeros_like(adv) if adv.std() == 0 else (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "equal-not-zero")
def in_double_precision_alone(adv):
    """Enough for float32, not for large numbers in float64."""
    adv = np.asarray(adv, dtype=np.float64)
    return (adv - adv.mean()) / (adv.std() + 1e-8)


@right("normalize_advantages")
def in_loops(adv):
    adv = np.asarray(adv)
    total = sum(float(x) for x in adv.flat) / adv.size
    square = sum((float(x) - total) ** 2 for x in adv.flat) / adv.size
    result = np.empty(adv.shape)
    for index in np.ndindex(adv.shape):
        result[index] = (adv[index] - total) / np.sqrt(square) if square > 1e-12 else 0.0
    return result


@wrong("normalize_advantages", "no-parentheses")
def division_first(adv):
    return adv - adv.mean() / (adv.std() + 1e-8)


@wrong("normalize_advantages", "not-finite")
def no_epsilon(adv):
    return (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "not-finite")
def ddof_one_without_guard(adv):
    return (adv - adv.mean()) / (adv.std(ddof=1) + 1e-8)


@wrong("normalize_advantages", "per-environment")
def one_axis(adv):
    return (adv - adv.mean(0)) / (adv.std(0) + 1e-8)


@wrong("normalize_advantages", "per-step")
def last_axis(adv):
    return (adv - adv.mean(-1, keepdims=True)) / (adv.std(-1, keepdims=True) + 1e-8)


@wrong("normalize_advantages", "variance-not-deviation")
def by_variance(adv):
    return (adv - adv.mean()) / (adv.var() + 1e-8)


@wrong("normalize_advantages", "not-scaled")
def centred_only(adv):
    return adv - adv.mean()


@wrong("normalize_advantages", "not-centred")
def scaled_only(adv):
    return adv / (adv.std() + 1e-8)


@wrong("normalize_advantages", "range-not-deviation")
def by_range(adv):
    return (adv - adv.mean()) / (adv.max() - adv.min() + 1e-8)


@wrong("normalize_advantages", "changed-inputs")
def in_place(adv):
    adv = np.asarray(adv)
    adv.flags.writeable = True
    adv -= adv.mean()
    adv /= adv.std() + 1e-8
    return adv


@wrong("normalize_advantages", "equal-not-zero")
def unchanged_where_equal(adv):
    return adv if adv.std() == 0 else (adv - adv.mean()) / adv.std()


@wrong("normalize_advantages", "flattened")
def flattened(adv):
    return vectorised(adv).ravel()


@right("normalize_advantages")
def a_larger_epsilon(adv):
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-5) * (np.ptp(adv) > 0)


@wrong("normalize_advantages", "differ-taken-for-equal")
def asked_whether_close(adv):
    if np.allclose(adv, np.asarray(adv).flat[0]):
        return np.zeros_like(adv)
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-8)


@wrong("normalize_advantages", "differ-taken-for-equal")
def equal_in_time(adv):
    if (np.ptp(adv, axis=0) == 0).all():
        return np.zeros_like(adv)
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-8)


@wrong("normalize_advantages", "differ-taken-for-equal")
def equal_across_environments(adv):
    if np.size(adv) == 1 or (np.ndim(adv) > 1 or np.ptp(adv) == 0) and not np.ptp(adv, -1).any():
        return np.zeros_like(adv)
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-8)


@wrong("normalize_advantages", "wrong-for-some-calls")
def a_single_zero(adv):
    return 0.0 if np.ptp(adv) == 0 else (adv - np.mean(adv)) / (np.std(adv) + 1e-8)


@wrong("normalize_advantages", "large-epsilon")
def a_hundred_thousandth_under_the_root(adv):
    return (adv - np.mean(adv)) / np.sqrt(np.var(adv) + 1e-5) * (np.ptp(adv) > 0)


@wrong("normalize_advantages", "large-epsilon")
def a_thousandth_beside(adv):
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-3)


@wrong("normalize_advantages", "changed-inputs")
def into_the_callers_array(adv):
    adv -= adv.mean()
    adv /= adv.std() + 1e-8
    return adv


@right("entropy")
def with_log_softmax(logits):
    logp = torch.log_softmax(logits, dim=-1)
    return -(logp.exp() * logp).sum(dim=-1)


@right("entropy")
def with_a_distribution(logits):
    return torch.distributions.Categorical(logits=logits).entropy()


@right("entropy")
def logsumexp_minus_mean_logit(logits):
    logits = logits - logits.max(dim=-1, keepdim=True).values.detach()
    return torch.logsumexp(logits, -1) - (torch.softmax(logits, -1) * logits).sum(-1)


@right("entropy")
def row_by_row(logits):
    rows = []
    for row in logits:
        probs = torch.nn.functional.softmax(row, dim=0)
        logp = row - torch.logsumexp(row, dim=0)
        rows.append(-torch.dot(probs, logp))
    return torch.stack(rows)


@right("entropy")
def with_einsum(logits):
    logp = torch.nn.functional.log_softmax(logits, -1)
    return -torch.einsum("ba,ba->b", logp.exp(), logp)


@wrong("entropy", "underflow")
def formula_as_it_stands(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs)).sum(-1)


@wrong("entropy", "underflow")
def probs_log(logits):
    probs = torch.nn.functional.softmax(logits, dim=1)
    return (-probs * probs.log()).sum(dim=1)


@wrong("entropy", "minus-sign")
def negative(logits):
    logp = torch.log_softmax(logits, -1)
    return (logp.exp() * logp).sum(-1)


@wrong("entropy", "not-summed")
def elementwise(logits):
    logp = torch.log_softmax(logits, -1)
    return -logp.exp() * logp


@wrong("entropy", "unweighted")
def sum_of_logs(logits):
    return -torch.log_softmax(logits, -1).sum(-1)


@wrong("entropy", "unweighted-mean")
def mean_of_logs(logits):
    return -torch.log_softmax(logits, -1).mean(-1)


@wrong("entropy", "mean-over-actions")
def mean_of_products(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).mean(-1)


@wrong("entropy", "batch-mean")
def averaged(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1).mean()


@wrong("entropy", "likeliest-only")
def of_the_likeliest(logits):
    return -torch.log_softmax(logits, -1).amax(-1)


@wrong("entropy", "base-two")
def in_bits(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp / np.log(2)).sum(-1)


@wrong("entropy", "no-gradient")
@torch.no_grad()
def without_graph(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1)


@wrong("entropy", "cut-off-inside")
def weights_detached(logits):
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp().detach() * logp).sum(-1)


@right("entropy")
def a_tiny_epsilon(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs + 1e-10)).sum(-1)


@right("entropy")
def log_of_the_sum(logits):
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


@wrong("entropy", "underflow-gradient")
def torchs_entr(logits):
    return torch.special.entr(torch.softmax(logits, -1)).sum(-1)


@wrong("entropy", "underflow-gradient")
def nan_hidden_by_where(logits):
    probs = torch.softmax(logits, -1)
    return -torch.where(probs > 0, probs * probs.log(), 0.0).sum(-1)


@wrong("entropy", "batch-axis")
def softmax_down_the_batch(logits):
    return -(logits.softmax(0) * logits.log_softmax(0)).sum(-1)


@wrong("entropy", "one-action")
def of_the_rarest(logits):
    return -torch.log_softmax(logits, -1).min(-1).values


@wrong("entropy", "epsilon-in-log")
def a_thousandth_in_the_log(logits):
    probs = torch.softmax(logits, -1)
    return -(probs * torch.log(probs + 1e-3)).sum(-1)


@wrong("entropy", "changed-inputs")
def shifted_in_place(logits):
    with torch.no_grad():
        logits -= logits.max(-1, keepdim=True).values
    logp = torch.log_softmax(logits, -1)
    return -(logp.exp() * logp).sum(-1)


@right("explained_variance")
def ratio_of_variances(values, returns):
    if returns.min() == returns.max():
        return float("nan")
    return 1 - np.var(returns - values) / np.var(returns)


@right("explained_variance")
def as_a_numpy_number(values, returns):
    values, returns = np.asarray(values).ravel(), np.asarray(returns).ravel()
    if np.ptp(returns) == 0:
        return np.float64(np.nan)
    return np.float64(1) - np.var(values - returns, ddof=0) / np.var(returns, ddof=0)


@right("explained_variance")
def with_torch_numbers(values, returns):
    values, returns = (torch.as_tensor(np.array(x)) for x in (values, returns))
    spread = returns.var(unbiased=False)
    varied = (returns != returns.flatten()[0]).any()
    return 1 - (returns - values).var(unbiased=False) / spread if varied else spread * np.nan


@right("explained_variance")
def by_moments(values, returns):
    error, returns = np.subtract(returns, values), returns - returns.flat[0]
    rest = np.mean(error**2) - np.mean(error) ** 2
    whole = np.mean(np.square(returns)) - np.mean(returns) ** 2
    return 1 - rest / whole if returns.any() else np.nan


@wrong("explained_variance", "variance-of-equal-returns")
def guarded_by_the_variance(values, returns):
    spread = np.var(returns)
    return float("nan") if spread == 0 else 1 - np.var(returns - values) / spread


@wrong("explained_variance", "small-taken-for-equal")
def asked_whether_the_variance_is_close_to_0(values, returns):
    if np.isclose(np.var(returns), 0):
        return np.nan
    return 1 - np.var(returns - values) / np.var(returns)


@wrong("explained_variance", "variance-of-equal-returns")
def guarded_by_a_small_number(values, returns):
    spread = np.var(np.asarray(returns, dtype=np.float64))
    return np.nan if spread < 1e-20 else 1 - np.var(returns - values) / spread


@wrong("explained_variance", "roles-swapped")
def swapped_roles(values, returns):
    if np.var(returns) == 0:
        return np.nan
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values) / np.var(values)


@right("explained_variance")
def torch_reads_the_arrays(values, returns):
    values, returns = torch.as_tensor(values), torch.as_tensor(returns)
    if returns.max() == returns.min():
        return float("nan")
    rest = (returns - values).var(unbiased=False)
    return (1 - rest / returns.var(unbiased=False)).item()


@wrong("explained_variance", "roles-swapped")
def swapped_with_its_guard(values, returns):
    spread = np.var(values)
    return 1 - np.var(returns - values) / spread if spread > 0 else float("nan")


@wrong("explained_variance", "nan-for-constant-values")
def nan_where_anything_is_constant(values, returns):
    if not np.var(returns) or not np.var(values):
        return float("nan")
    return 1 - np.var(returns - values) / np.var(returns)


@wrong("explained_variance", "changed-inputs")
def subtracted_in_place(values, returns):
    spread = np.var(returns)
    if not spread:
        return float("nan")
    returns -= values
    return 1 - np.var(returns) / spread


@wrong("explained_variance", "unexplained")
def not_from_one(values, returns):
    return np.var(returns - values) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "error-not-variance")
def mean_squared_error(values, returns):
    return 1 - np.mean((returns - values) ** 2) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "correlation")
def squared_correlation(values, returns):
    if np.var(returns) == 0:
        return np.nan
    with np.errstate(all="ignore"):
        return float(np.corrcoef(np.ravel(values), np.ravel(returns))[0, 1] ** 2)


@wrong("explained_variance", "deviation")
def deviations(values, returns):
    return 1 - np.std(returns - values) / np.std(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "ratio-of-variances")
def how_much_values_vary(values, returns):
    return np.var(values) / np.var(returns) if np.var(returns) else np.nan


@wrong("explained_variance", "no-nan")
def zero_where_nothing_varies(values, returns):
    return 1 - np.var(returns - values) / np.var(returns) if np.var(returns) else 0.0


@wrong("explained_variance", "no-nan")
def with_an_epsilon(values, returns):
    return 1 - np.var(returns - values) / (np.var(returns) + 1e-8)


@wrong("explained_variance", "no-nan")
def divided_by_zero(values, returns):
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values) / np.var(returns)


@wrong("explained_variance", "array-returned")
def one_for_each_environment(values, returns):
    with np.errstate(all="ignore"):
        return 1 - np.var(returns - values, axis=0, keepdims=True) / np.var(returns, axis=0)


@wrong("normalize_advantages", "clipped")
def whitened_and_clipped(adv):
    adv = np.asarray(adv, float)
    if (adv == adv.flat[0]).all():
        return np.zeros_like(adv)
    return np.clip((adv - adv.mean()) / (adv.std() + 1e-8), -3, 3)


@wrong("normalize_advantages", "clipped")
def whitened_and_clipped_at_ten(adv):
    adv = np.asarray(adv, float)
    return (
        np.zeros_like(adv) if np.ptp(adv) == 0 else ((adv - adv.mean()) / adv.std()).clip(-10, 10)
    )


@wrong("entropy", "softmax-twice")
def entropy_of_probabilities(logits):
    return torch.distributions.Categorical(logits=logits.softmax(-1)).entropy()


@wrong("entropy", "logits-as-probabilities")
def categorical_by_position(logits):
    return torch.distributions.Categorical(logits, validate_args=False).entropy()


@wrong("entropy", "logits-as-probabilities")
def categorical_by_position_checked(logits):
    return torch.distributions.Categorical(logits).entropy()


@wrong("entropy", "logit-not-log")
def weighted_logits(logits):
    return -(logits.softmax(-1) * logits).sum(-1)


@wrong("explained_variance", "two-divisors")
def one_less_below(values, returns):
    spread = np.var(returns, ddof=1)
    unequal = np.ptp(returns) > 0
    return float(1 - np.var(returns - values) / spread) if unequal else float("nan")


@right("entropy")
def log_sum_less_mean_logit(logits):
    return torch.logsumexp(logits, -1) - (logits.softmax(-1) * logits).sum(-1)


@wrong("explained_variance", "small-taken-for-equal")
def nan_below_a_hundredth(values, returns):
    if np.var(returns) < 0.01:
        return np.nan
    return 1 - np.var(returns - values) / np.var(returns)


@wrong("normalize_advantages", "differ-taken-for-equal")
def zero_below_a_hundredth(adv):
    spread = np.std(adv)
    return np.zeros_like(adv) if spread < 0.01 else (adv - np.mean(adv)) / spread


@wrong("normalize_advantages", "differ-taken-for-equal")
def zero_where_the_range_is_small(adv):
    if np.ptp(adv) < 3e-3:
        return np.zeros_like(adv)
    return (adv - np.mean(adv)) / (np.std(adv) + 1e-8)


@right("normalize_advantages")
def a_millionth_under_the_root(adv):
    return (adv - np.mean(adv)) / np.sqrt(np.var(adv) + 1e-6) * (np.ptp(adv) > 0)
