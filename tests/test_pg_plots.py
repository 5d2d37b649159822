"""Figures show the numbers they are given, in a picture small enough for a notebook."""

import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import policy_gradients as pg
from policy_gradients import i18n
from policy_gradients.plots import style

KILOBYTE = 1000


@pytest.fixture(autouse=True)
def clean_figures():
    with matplotlib.rc_context():
        yield
    plt.close("all")
    i18n.set_language(None)


def some_policy(env, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(env.num_actions), env.num_states)


def played(env, pi, seed=0):
    rng = np.random.default_rng(seed)
    state, _info = env.reset(seed=seed)
    steps, over = [], False
    while not over:
        action = int(rng.choice(env.num_actions, p=pi[state]))
        following, reward, terminated, truncated, _info = env.step(action)
        steps.append((state, action, reward))
        state, over = following, terminated or truncated
    return pg.Trajectory(*zip(*steps, strict=True))


def texts(ax):
    """Everything written on the Axes, minus signs as hyphens."""
    ax.figure.canvas.draw()
    labels = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
    labels += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
    if ax.get_legend():
        labels += ax.get_legend().get_texts()
    return [label.get_text().replace("\N{MINUS SIGN}", "-") for label in labels]


def picture_bytes(ax):
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="png")
    return len(buffer.getvalue())


def every_figure():
    grid, corridor, tokens = pg.envs.Grid(), pg.envs.Corridor(), pg.envs.TokenEnv()
    rng = np.random.default_rng(0)
    steps = np.arange(60)
    # The means of a batch scatter less once the policy has settled.
    scatter = 0.1 + 0.7 * np.exp(-steps / 20)
    curve = 9 * (1 - np.exp(-steps / 15)) + scatter * rng.normal(size=(5, 60))
    pi = some_policy(grid)
    traj = played(corridor, some_policy(corridor))
    names = [corridor.action_names[action] for action in traj.actions]
    plots = pg.plots
    return {
        "grid": lambda: plots.trajectory(grid, played(grid, pi), pi),
        "corridor": lambda: plots.trajectory(corridor, traj, some_policy(corridor)),
        "corridor alone": lambda: plots.trajectory(corridor, traj),
        "policy": lambda: plots.policy(grid, pi),
        "policy table": lambda: plots.policy(pg.envs.Bandit(), [[0.2, 0.5, 0.3]]),
        "values": lambda: plots.values(grid, pg.exact.state_values(grid, pi)),
        "values of contexts": lambda: plots.values(pg.envs.ContextualBandit(), np.arange(10)),
        "convergence": lambda: plots.convergence([1, 4, 16], rng.uniform(1, 2, size=(9, 3))),
        "credit": lambda: plots.credit_strip(names, traj.rewards, traj.rewards),
        "tokens": lambda: plots.token_strip(["cat", "."], [7.0, 7.0], prompt="the"),
        "tree": lambda: plots.token_tree(tokens, some_policy(tokens)),
        "learning": lambda: plots.learning_curves({"a": curve, "b": curve / 2}, 9.7, curve[0]),
        "bars": lambda: plots.bars(["x", "y"], [100, 3], [90, 3.1], [9, 0.2], ylabel="v"),
        "cloud": lambda: plots.gradient_cloud(rng.normal(size=(300, 2)), [0.2, 0.1]),
    }


@pytest.mark.parametrize("name", every_figure())
def test_each_figure_is_an_axes_of_its_own_and_a_small_picture(name):
    draw = every_figure()[name]
    ax = draw()
    assert isinstance(ax, matplotlib.axes.Axes)
    assert 100 < picture_bytes(ax) < 60 * KILOBYTE
    assert ax.figure.get_size_inches()[0] <= 7.0
    assert draw().figure is not ax.figure


def test_figures_draw_on_the_axes_they_are_given():
    figure, axes = plt.subplots(1, 2)
    grid = pg.envs.Grid()
    assert pg.plots.values(grid, np.zeros(16), ax=axes[0]) is axes[0]
    assert pg.plots.bars(["a"], [1.0], ax=axes[1]) is axes[1]
    assert plt.get_fignums() == [figure.number]


def test_a_trajectory_shows_where_it_went():
    env = pg.envs.Grid()
    traj = pg.Trajectory([0, 4, 8], [2, 2, 1], [-0.1, -0.1, -10.1])
    ax = pg.plots.trajectory(env, traj)
    written = texts(ax)
    assert "3 steps, return -10.3" in written
    assert "-10.1" in written
    assert written.count("pit") == 2 and written.count("goal") == 1
    arrows = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 3
    cut = pg.plots.trajectory(env, pg.Trajectory([0, 1], [1, 1], [-0.1, -0.1]))
    assert "-0.1" not in texts(cut)  # an ordinary reward in an ordinary cell says nothing
    ends = [text.xy for text in ax.texts if getattr(text, "arrow_patch", None)]
    assert np.round(ends).tolist() == [[0, 1], [0, 2], [1, 2]]  # column, row


def test_a_corridor_unfolds_in_time():
    env = pg.envs.Corridor()
    traj = pg.Trajectory([3, 4, 3, 2, 1], [1, 0, 0, 0, 0], [-0.1, -0.1, -0.1, -0.1, -10.1])
    ax = pg.plots.trajectory(env, traj)
    path = max(ax.lines, key=lambda line: len(line.get_xdata()))
    assert path.get_xdata().tolist() == [3, 4, 3, 2, 1, 0]
    assert path.get_ydata().tolist() == [0, 1, 2, 3, 4, 5]
    assert texts(ax).count("-0.1") == 4


def test_the_last_successor_is_found_by_its_reward():
    """With slip the likeliest successor is not always the true one; the reward tells."""
    env = pg.envs.Grid(size=2, goal=(1, 1), pits=[(0, 1)], slip=0.4)
    # Down from (0, 0) leads to (1, 0), or slides right into the pit.
    traj = pg.Trajectory([0], [2], [-10.1])
    ax = pg.plots.trajectory(env, traj)
    arrow = next(text for text in ax.texts if getattr(text, "arrow_patch", None))
    assert np.round(arrow.xy).tolist() == [1, 0]  # column, row


def test_arrows_are_as_long_as_the_action_is_probable():
    env = pg.envs.Corridor(length=3)
    ax = pg.plots.policy(env, [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]])
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    lengths = {np.sign(a.xy[0] - a.xyann[0]): abs(a.xy[0] - a.xyann[0]) for a in arrows}
    assert len(arrows) == 2
    assert lengths[1.0] / lengths[-1.0] == pytest.approx(3)


def test_relabelled_actions_point_the_same_way():
    plain = pg.envs.Corridor(length=3)
    other = pg.envs.Corridor(length=3, action_order=[1, 0])
    tips = []
    for env, row in ((plain, [1.0, 0.0]), (other, [0.0, 1.0])):
        ax = pg.plots.policy(env, [row] * 3)
        tips.append([text.xy for text in ax.texts if getattr(text, "arrow_patch", None)])
    assert tips[0] == tips[1] != []


def test_values_are_written_where_they_belong():
    env = pg.envs.Grid()
    numbers = np.arange(16) - 3.5
    ax = pg.plots.values(env, numbers)
    written = {t.get_text(): (t.get_position()[1], t.get_position()[0]) for t in ax.texts}
    assert written["+2.5"] == (1, 2)  # state 6: row 1, column 2
    assert written["\N{MINUS SIGN}3.5"] == (0, 0)
    assert "+11.5" not in written  # the goal's own value means nothing


def test_environments_without_a_map_say_so():
    with pytest.raises(ValueError, match="no map"):
        pg.plots.trajectory(pg.envs.TokenEnv(), pg.Trajectory([0], [4], [-7.0]))


@pytest.mark.parametrize("slope", [-0.5, -1.0])
def test_convergence_measures_the_slope(slope):
    ns = np.array([1, 10, 100, 1000])
    ax = pg.plots.convergence(ns, 3.0 * ns**slope)
    assert f"measured, slope {slope:.2f}" in texts(ax)
    assert "law, slope -0.50" in texts(ax)
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_convergence_joins_runs_by_their_root_mean_square():
    ax = pg.plots.convergence([1, 4], [[3.0, 1.0], [4.0, 7.0]])
    line = next(line for line in ax.lines if line.get_label().startswith("measured"))
    np.testing.assert_allclose(line.get_ydata(), [np.sqrt(12.5), 5.0])


def test_credit_is_coloured_by_sign_and_written_in():
    ax = pg.plots.credit_strip(["left", "right", "left"], [2.0, -2.0, 0.0], rewards=[1, 0, -3])
    blue, vermilion, white = (patch.get_facecolor()[:3] for patch in ax.patches)
    np.testing.assert_allclose(blue, to_rgb(style.POSITIVE), atol=0.01)
    np.testing.assert_allclose(vermilion, to_rgb(style.NEGATIVE), atol=0.01)
    np.testing.assert_allclose(white, (1, 1, 1), atol=0.01)
    written = texts(ax)
    assert written[:3] == ["+2", "-2", "0"]
    assert written[3:6] == ["+1", "0", "-3"]


def test_rows_of_credit_share_one_scale():
    ax = pg.plots.credit_strip(["a"], {"whole": [4.0], "later": [1.0]})
    strong, weak = (np.array(patch.get_facecolor()[:3]) for patch in ax.patches)
    assert strong.sum() < weak.sum()
    assert {"whole", "later"} <= set(texts(ax))


def test_a_prompt_gets_no_credit():
    ax = pg.plots.token_strip(["sleeps", "."], [5.0, 5.0], rewards=[0, 10], prompt="the cat")
    assert len(ax.patches) == 4
    assert len({patch.get_facecolor() for patch in ax.patches[:2]}) == 1
    written = texts(ax)
    assert written[:2] == ["+5", "+5"]
    assert [word for word in written if word in ("the", "cat", "sleeps", ".")] == [
        "the",
        "cat",
        "sleeps",
        ".",
    ]


@pytest.mark.parametrize("weights", [[1.0], {"a": [1.0, 2.0], "b": [1.0]}, [[1.0, 2.0]]])
def test_strips_need_one_number_a_step(weights):
    with pytest.raises(ValueError, match="one number a step"):
        pg.plots.credit_strip(["x", "y"], weights)


def test_a_tree_shows_the_likeliest_words_and_their_scores():
    env = pg.envs.TokenEnv(pairs=[("cat", "sleeps")], max_length=3)
    pi = np.full((env.num_states, 3), [0.0, 0.1, 0.9])
    pi[env.state_of(())] = [1.0, 0.0, 0.0]
    pi[env.state_of((0,))] = [0.0, 0.75, 0.25]
    written = texts(pg.plots.token_tree(env, pi, top=2))
    assert written.count("cat") == 1
    assert "0.75" in written and "0.25" in written
    assert "+10" in written and "-1" in written  # "the cat sleeps ." and "the cat ."


def test_learning_curves_draw_mean_reference_and_exact():
    runs = np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]])
    ax = pg.plots.learning_curves({"one": runs}, reference=9.0, exact=np.array([1.0, 1.0, 1.0]))
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["one (2 runs, band: middle half)"].get_ydata().tolist() == [1, 3, 5]
    assert set(lines["best reachable"].get_ydata()) == {9.0}
    assert lines["exact objective"].get_ydata().tolist() == [1, 1, 1]


def test_more_curves_than_colours_are_no_error():
    ax = pg.plots.learning_curves({str(i): np.zeros(3) for i in range(9)})
    assert len(ax.get_legend().get_texts()) == 9


def test_bars_carry_their_numbers():
    ax = pg.plots.bars(["a", "b"], [120.0, 3.25], exact=[118.0, 3.0], errors=[2.0, 0.1])
    assert [bar.get_height() for bar in ax.patches] == [120.0, 3.25]
    assert {"120", "3.25", "exact"} <= set(texts(ax))
    assert ax.get_yscale() == "log"
    assert pg.plots.bars(["a"], [1.0], log=False).get_yscale() == "linear"


def test_a_cloud_points_at_the_exact_gradient():
    ax = pg.plots.gradient_cloud([[1.0, 0.0], [3.0, 2.0]], [2.5, 1.5], names=("x", "y"))
    mean, exact = (text.xy for text in ax.texts if getattr(text, "arrow_patch", None))
    assert tuple(mean) == (2.0, 1.0)
    assert tuple(exact) == (2.5, 1.5)
    assert {"x", "y", "mean of 2"} <= set(texts(ax))
    with pytest.raises(ValueError, match="N, 2"):
        pg.plots.gradient_cloud([[1.0, 0.0, 2.0]], [1.0, 2.0])


def test_arrows_beyond_the_cloud_are_inside_the_picture():
    ax = pg.plots.gradient_cloud([[0.1, 0.1], [0.0, -0.1]], [5.0, -4.0])
    assert ax.get_xlim()[1] > 5 and ax.get_ylim()[0] < -4


def test_labels_are_translated(monkeypatch):
    from policy_gradients.plots import curves, maps, strips

    for module in (curves, maps, strips):
        monkeypatch.setattr(module, "_", lambda message: f"<{message}>")
    ax = pg.plots.learning_curves({"a": np.zeros((2, 3))}, reference=1.0)
    assert {"<update>", "<mean return>", "<best reachable>"} <= set(texts(ax))
    ax = pg.plots.policy(pg.envs.Grid(), some_policy(pg.envs.Grid()))
    assert {"<goal>", "<pit>"} <= set(texts(ax))
    assert "<left>" in texts(pg.plots.credit_strip(["left"], [1.0]))


def luminance(color):
    """Relative luminance of the web's accessibility guidelines (WCAG 2)."""
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in to_rgb(color)]
    return np.dot([0.2126, 0.7152, 0.0722], parts)


@pytest.mark.parametrize("share", np.linspace(-1, 1, 21))
def test_what_is_written_on_a_colour_can_be_read(share):
    face = style.diverging_colors(share, 1.0)
    light, dark = sorted([luminance(face[:3]), luminance(style.ink_on(face))])[::-1]
    assert (light + 0.05) / (dark + 0.05) >= 4.0


def test_neighbouring_colours_differ_in_greyscale():
    shades = np.array([luminance(color) for color in style.COLORS])
    assert np.all(np.abs(np.diff(shades)) > 0.08)
    assert len(set(style.MARKERS)) == len(set(map(str, style.LINESTYLES))) == len(style.COLORS)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (-0.001, "0"), (1.0, "+1"), (-0.1, "-0.1"), (9.999, "+10"), (12.34, "+12.3")]
    + [(100.0, "+100"), (-2500.4, "-2500"), (20.0, "+20"), (np.float64(-7), "-7")],
)
def test_signed_numbers_are_short(number, text):
    assert style.signed(number).replace("\N{MINUS SIGN}", "-") == text


def test_long_labels_of_a_strip_do_not_run_into_each_other():
    ax = pg.plots.credit_strip(["izquierda"] * 11, {"retorno completo": [1.0] * 11})
    ax.figure.draw_without_rendering()
    renderer = ax.figure.canvas.get_renderer()
    cell = ax.get_window_extent(renderer).width / 11
    labels = ax.get_xticklabels()
    # Slanted lines of text are apart where their feet are further apart than a line is high.
    assert all(label.get_rotation() == 40 for label in labels)
    assert cell * np.sin(np.radians(40)) > labels[0].get_size() * ax.figure.dpi / 72
    short = pg.plots.credit_strip(["left"] * 11, [1.0] * 11)
    assert all(label.get_rotation() == 0 for label in short.get_xticklabels())


def test_a_band_of_runs_never_rises_above_what_a_run_has_reached():
    runs = np.array([[9.0, 9.4], [9.4, 9.4], [-8.0, 9.4]])
    ax = pg.plots.learning_curves({"one": runs}, reference=9.4)
    (band,) = (c for c in ax.collections if hasattr(c, "get_paths"))
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() <= runs.max() and heights.min() >= runs.min()


@pytest.mark.parametrize("low", [0.0013, 0.15, 3.0, 700.0])
@pytest.mark.parametrize("factor", [1.5, 20, 400, 1e5])
def test_logarithmic_ticks_are_plain_numbers_or_powers_of_ten(low, factor):
    ax = pg.plots.exact_and_measured(
        {"one": {"exact": ([1, 2], [low, low * factor])}}, "x", "y", "xy"
    )
    ax.figure.canvas.draw()
    for axis in (ax.xaxis, ax.yaxis):
        labels = [t.get_text() for t in [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]]
        assert not any("times" in label for label in labels)
