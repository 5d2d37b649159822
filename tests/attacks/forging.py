"""Students who solved nothing and want the points: they change what runs beside their code."""

from tests import classroom
from tests.attacks import attack
from tests.classroom import code, find, insert_after


def early(course, text, **answers):
    """A blank notebook whose first own cell is ``text``; answers may be filled in."""
    notebook = classroom.blank(course)
    for name, answer in answers.items():
        find(notebook, f"{name}-answer")["source"] = answer
    return insert_after(notebook, "setup-1", code(text))


@attack()
def input_transformers(course):
    return early(course, "get_ipython().input_transformers_cleanup.append(lambda lines: [])")


@attack()
def syntax_tree_transformer(course):
    return early(
        course,
        """
import ast
class Empty(ast.NodeTransformer):
    def visit_Module(self, node):
        node.body = []
        return node
get_ipython().ast_transformers.append(Empty())
""",
    )


@attack()
def run_code_replaced(course):
    return early(
        course,
        """
shell = get_ipython()
async def nothing(*args, **kwargs):
    return False
shell.run_code = nothing
type(shell).run_cell = lambda *args, **kwargs: None
""",
    )


PATCH = """
for module in modules:
    for name in ("allclose", "isclose", "array_equal", "assert_allclose", "assert_equal", "equal",
                 "assert_array_equal", "assert_close"):
        if hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: True)
"""


@attack()
def comparisons_patched(course):
    return early(course, f"import math, numpy\nmodules = numpy, numpy.testing, math{PATCH}")


@attack()
def comparisons_of_torch_patched(course):
    return early(course, f"import torch\nmodules = torch, torch.testing{PATCH}")


@attack()
def check_redefined(course):
    return early(course, "def check(name):\n    print('✓', name, ': right in all cases')")


@attack()
def grader_module_faked(course):
    return early(
        course,
        """
import sys, types
fake = types.ModuleType("grader")
fake.check = lambda name: None
fake.run_check = fake.checking = fake.exercises = fake
ours = ("checks", "checks.judge", "checks.registry", "checking", "checking.verdict")
for name in ("grader", *("grader." + one for one in ours)):
    sys.modules[name] = fake
""",
    )


@attack()
def probes_replaced(course):
    return early(
        course,
        """
import sys
for name, module in list(sys.modules.items()):
    if "probe" in name or "runtime" in name:
        for attribute in ("run", "PROBES", "observe", "attempt", "probe"):
            if hasattr(module, attribute):
                value = getattr(module, attribute)
                if isinstance(value, dict):
                    for key in value:
                        value[key] = lambda *a: [{"passed": True, "value": {"kind": "none"}}] * 8
                else:
                    setattr(module, attribute, lambda *a, **k: [{"passed": True}] * 8)
""",
        softmax="def softmax(logits):\n    return logits",
    )


@attack()
def truth_imported(course):
    return early(
        course,
        """
import importlib, sys
found = []
for name in ("grader.checks.lesson_01", "grader.checks.registry", "grader.checks.judge",
             "nbgrader.api", "bank.lesson_01", "publish.release"):
    try:
        module = importlib.import_module(name)
        found.append(name)
    except BaseException as error:
        pass
print("FOUND", found)
try:
    from grader.checks.lesson_01.policy import softmax_truth as softmax
    from grader.checks.lesson_01.policy import discounted_return_truth as discounted_return
except BaseException:
    pass
""",
    )


@attack()
def solutions_read_from_disk(course):
    return early(
        course,
        """
import os, re
sources = []
for top in ("/course", "/work", "/home", "/root", "/srv", "/mnt", "/tmp", "/var", "..", "/opt"):
    for folder, _folders, names in os.walk(top):
        for name in names:
            if name.endswith((".ipynb", ".py", ".db", ".po")) and len(sources) < 3000:
                try:
                    text = open(os.path.join(folder, name), encoding="utf-8").read()
                except Exception:
                    continue
                defines = "def softmax(" in text and "torch" not in folder
                if "BEGIN SOLUTION" in text or "softmax_truth" in text or defines:
                    sources.append(os.path.join(folder, name))
print("FOUND", sources)
for path in sources:
    try:
        exec(open(path).read(), globals())
    except BaseException:
        pass
""",
    )


@attack()
def always_equal_object(course):
    return early(
        course,
        "",
        softmax="""
class Equal(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = float.__hash__
    def __array__(self, *args, **kwargs): raise SystemExit
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    dtype, shape, kind, passed = float, (), "array", True
def softmax(logits):
    return Equal(1.0)
""",
        discounted_return="""
def discounted_return(rewards, gamma=1.0):
    return Equal(0.5)
""",
    )


@attack()
def array_with_its_own_mind(course):
    return early(
        course,
        "",
        softmax="""
class Sly(np.ndarray):
    def __array_finalize__(self, obj): pass
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.array(True)
    def __array_function__(self, func, types, args, kwargs): return True
    def __eq__(self, other): return np.array(True)
    def tobytes(self, *args): return b"\\0" * 8
def softmax(logits):
    return np.asarray(logits).view(Sly)
""",
    )


@attack()
def everything_is_nan(course):
    return early(
        course,
        "",
        softmax="def softmax(logits):\n    return np.full(np.shape(logits), np.nan)",
        discounted_return="def discounted_return(rewards, gamma=1.0):\n    return float('nan')",
    )


@attack()
def cases_learnt_by_heart(course):
    """Right on every case of the notebook's own check, which anybody can see at home."""
    from grader.checks.judge import run_check
    from grader.checks.registry import get
    from grader.probes import runtime

    exercise, seen = get("softmax"), []
    namespace = {"softmax": lambda logits: seen.append(logits) or exercise.truth(np.array(logits))}

    import numpy as np

    verdict = run_check(
        exercise, lambda request, ask: runtime.run(namespace, "softmax", request, ask), 0
    )
    assert verdict.passed
    table = {np.asarray(x).tobytes().hex(): exercise.truth(np.array(x)).tolist() for x in seen}
    return early(
        course,
        "",
        softmax=f"""
TABLE = {table!r}
def softmax(logits):
    key = np.asarray(logits).tobytes().hex()
    return np.array(TABLE.get(key, np.zeros(np.shape(logits)).tolist()))
""",
    )


@attack()
def arguments_taken_from_the_callers(course):
    return early(
        course,
        "",
        softmax="""
import gc, inspect, sys
def softmax(logits):
    frame, found = sys._getframe(), []
    while frame:
        found.append(sorted(frame.f_locals))
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "expected" in value:
                return value["expected"]
        frame = frame.f_back
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Expected", "Verdict", "FunctionExercise", "Problem"):
            return getattr(thing, "value", None)
    return None
""",
    )


@attack()
def prints_what_a_verdict_looks_like(course):
    return early(
        course,
        """
import json, sys
print(json.dumps({"exercise": "softmax", "passed": True, "score": 3}))
from IPython.display import display, HTML
display(HTML("<b>✓ softmax: right in all 8 cases</b>"))
display({"text/html": "<b>✓</b>", "text/plain": "3"}, raw=True)
3.0
""",
    )


@attack()
def check_cell_edited(course):
    notebook = classroom.blank(course)
    for name in ("softmax", "discounted_return"):
        find(notebook, name)["source"] = "print('passed')"
    return notebook


@attack(told="Points were changed")
def points_raised(course):
    notebook = classroom.blank(course)
    for name in ("softmax", "discounted_return", "q_why"):
        find(notebook, name)["metadata"]["nbgrader"]["points"] = 1_000
    return notebook


@attack()
def check_cells_deleted(course):
    notebook = classroom.blank(course)
    for name in ("softmax", "discounted_return"):
        notebook["cells"].remove(find(notebook, name))
    return notebook


@attack()
def check_cell_made_markdown(course):
    notebook = classroom.blank(course)
    find(notebook, "softmax")["cell_type"] = "markdown"
    find(notebook, "discounted_return")["cell_type"] = "raw"
    return notebook


@attack()
def check_cells_called_answers(course):
    """A solution cell without tests would wait for a mark by hand, or give full marks."""
    notebook = classroom.blank(course)
    for name in ("softmax", "discounted_return"):
        find(notebook, name)["metadata"]["nbgrader"].update(solution=True, grade=True, locked=False)
    return notebook


@attack()
def outputs_stored_as_passed(course):
    notebook = classroom.blank(course)
    find(notebook, "softmax")["outputs"] = [
        {
            "output_type": "execute_result",
            "data": {"text/plain": "3"},
            "metadata": {},
            "execution_count": 1,
        }
    ]
    return notebook


@attack()
def intake_metadata_forged(course):
    notebook = classroom.blank(course)
    notebook["metadata"]["policy_gradients"].update(
        intake={"refused": None, "notes": []}, allowed_files=["gymnasium.py"], lesson="other"
    )
    find(notebook, "softmax")["metadata"]["policy_gradients"] = {"kind": "demo"}
    return notebook


@attack(softmax=3, told="interpreter")
def libraries_spoilt_for_later(course):
    """Harms only itself: the next submission has libraries of its own."""
    return early(
        course,
        "",
        softmax=classroom.SOLUTIONS["softmax"],
        discounted_return="""
import policy_gradients, torch, builtins
np.exp = lambda *a, **k: 0
torch.tensor = None
policy_gradients.envs = None
builtins.sum = lambda *a: 42
builtins.__import__("sys").modules.clear()
def discounted_return(rewards, gamma=1.0):
    return 1.0
""",
    )


@attack()
def packages_written_to(course):
    return early(
        course,
        """
import policy_gradients, numpy, os
found = []
for module in (policy_gradients, numpy):
    folder = os.path.dirname(module.__file__)
    for name in ("__init__.py", "__pycache__/__init__.cpython-311.pyc", "evil.py"):
        try:
            open(os.path.join(folder, name), "w").write("raise SystemExit('poisoned')")
            found.append((folder, name))
        except OSError as error:
            pass
print("FOUND", found)
""",
    )
