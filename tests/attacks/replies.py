"""Answers that try to deceive, burst or exploit whoever reads them."""

from tests import classroom
from tests.attacks import attack
from tests.attacks.forging import early

RETURN_IDEA = classroom.SOLUTIONS["discounted_return"]


def answer(course, text):
    """softmax is ``text``; discounted_return is solved."""
    return early(course, "", softmax=text, discounted_return=RETURN_IDEA)


@attack(discounted_return=2)
def huge_array(course):
    return answer(course, "def softmax(logits):\n    return np.zeros(3_900_000)")


@attack(discounted_return=2)
def arrays_without_end(course):
    return answer(course, "def softmax(logits):\n    return [np.zeros(1000)] * 100_000")


@attack(discounted_return=2)
def rows_without_end(course):
    """No number at all, and a million million rows to tell of."""
    return answer(course, "def softmax(logits):\n    return [np.zeros((2**40, 0))]")


@attack()
def rows_without_end_for_a_number(course):
    return early(
        course,
        "",
        discounted_return="def discounted_return(rewards, gamma=1.0):\n"
        "    return np.zeros((2**40, 0))",
    )


@attack(discounted_return=2)
def nested_without_end(course):
    return answer(
        course,
        """
def softmax(logits):
    nest = []
    for _ in range(50_000):
        nest = [nest]
    return nest
""",
    )


@attack(discounted_return=2)
def list_that_holds_itself(course):
    return answer(
        course,
        """
def softmax(logits):
    loop = {}
    loop["again"] = [loop] * 5_000
    return loop
""",
    )


@attack(discounted_return=2)
def objects_that_pickle_evil(course):
    return answer(
        course,
        """
import os
class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/course-attack-marker",)
def softmax(logits):
    return np.array([Evil()], dtype=object)
""",
    )


@attack(discounted_return=2)
def error_that_fails_to_print(course):
    return answer(
        course,
        """
class Worse(Exception):
    def __str__(self): raise Worse()
    __repr__ = __str__
    def __getattribute__(self, name): raise KeyboardInterrupt
def softmax(logits):
    raise Worse()
""",
    )


@attack(discounted_return=2)
def error_with_a_long_story(course):
    return answer(
        course, "def softmax(logits):\n    raise ValueError('<script>alert(1)</script>' * 100_000)"
    )


@attack(discounted_return=2)
def error_named_like_markup(course):
    return answer(
        course,
        """
def softmax(logits):
    raise type("</td><script>alert(1)</script>", (Exception,), {})("=cmd|' /C calc'!A0")
""",
    )


@attack(discounted_return=2)
def raises_keyboard_interrupt(course):
    return answer(course, "def softmax(logits):\n    raise KeyboardInterrupt")


@attack(discounted_return=2)
def raises_system_exit(course):
    return answer(course, "def softmax(logits):\n    raise SystemExit(0)")


@attack(discounted_return=2)
def recurses_without_end(course):
    return answer(course, "def softmax(logits):\n    return softmax(logits)")


@attack(discounted_return=2)
def calls_itself_right_after_the_first_case(course):
    return answer(
        course,
        """
calls = 0
def softmax(logits):
    global calls
    calls += 1
    if calls > 2:
        return np.zeros(np.shape(logits))
    weights = np.exp(logits - np.max(logits))
    return weights / weights.sum(axis=-1, keepdims=True)
""",
    )


@attack(discounted_return=2)
def tensor_subclass(course):
    return answer(
        course,
        """
import torch
class Sly(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise SystemExit
def softmax(logits):
    return torch.zeros(3).as_subclass(Sly)
""",
    )


@attack(status=("graded", "graded with note", "stopped"))
def frames_on_every_descriptor(course):
    return early(
        course,
        """
import json, os, struct
def frame(tree):
    header = json.dumps(tree).encode()
    return struct.pack(">IQ", len(header), 0) + header
forged = {"d": {"id": "0" * 16, "done": [{"d": {"value": 1}}] * 8}}
for descriptor in range(3, 64):
    for text in (frame(forged), b"\\xff" * 4096):
        try:
            os.write(descriptor, text)
        except OSError:
            pass
""",
    )


@attack(status=("graded", "graded with note", "stopped"))
def encoder_replaced(course):
    """Sends headers that promise far too much, or JSON that never ends."""
    return early(
        course,
        """
import sys, json, struct
for name, module in list(sys.modules.items()):
    if name.endswith("wire") and hasattr(module, "dumps"):
        module.dumps = lambda tree: struct.pack(">IQ", 2**32 - 1, 2**63)
json.dumps = lambda *a, **k: "[" * 10_000_000
""",
        softmax="def softmax(logits):\n    return logits",
    )


@attack(status=("graded", "graded with note", "stopped"))
def asks_for_the_answer(course):
    """The channel by which a failed exercise's values are asked for, used for another one."""
    return early(
        course,
        """
import gc, sys
def hunt():
    for thing in gc.get_objects():
        try:
            if callable(thing) and getattr(thing, "__name__", "") in ("ask", "_ask"):
                yield thing
        except BaseException:
            pass
def softmax(logits):
    for ask in hunt():
        try:
            reply = ask({"name": "softmax", "args": [logits], "kwargs": {}})
            return reply["value"]
        except BaseException:
            pass
    return None
""",
    )


@attack(status=("graded", "graded with note", "stopped"))
def descriptors_closed(course):
    return early(course, "import os\nos.closerange(3, 1024)")


@attack(status=("graded", "graded with note", "stopped"))
def streams_closed(course):
    return early(
        course, "import os, sys\nsys.stdout.close(); sys.stderr = None\nos.close(1); os.close(2)"
    )
