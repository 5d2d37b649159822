"""Frames between the grader and a student's process: what goes in comes out, and nothing else."""

import contextlib
import json
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.probes import wire
from grader.probes.inputs import Env, Tensor, Trajectory

SMALL = wire.Limits(header_bytes=1 << 16, body_bytes=1 << 16, arrays=50, nodes=500, depth=8)
DTYPES = st.sampled_from(sorted(wire.DTYPES)).map(np.dtype)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**64), 2**64), st.floats(), TEXTS, ARRAYS
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return type(b) is list and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and (a == b or a != a and b != b)


def frame(header, body=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.PREFIX.pack(len(raw), len(body)) + raw + body


@given(TREES)
def test_a_plain_tree_comes_back_as_it_was(tree):
    assert same(tree, wire.loads(wire.dumps(tree)))


@given(ARRAYS)
def test_an_array_of_any_memory_order_comes_back(array):
    assert same(array.T, wire.loads(wire.dumps(array.T)))
    swapped = array.astype(array.dtype.newbyteorder(">"))
    assert np.array_equal(array, wire.loads(wire.dumps(swapped)), equal_nan=array.dtype.kind == "f")


def only_value_or_refusal(data):
    with contextlib.suppress(wire.BadReply):
        wire.loads(data, SMALL, records=(Tensor, Trajectory))


@given(st.binary(max_size=300))
def test_random_bytes_are_a_value_or_refused(data):
    only_value_or_refusal(data)


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_random_headers_are_a_value_or_refused(header, body):
    only_value_or_refusal(frame(header, body))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["float64", "bool", "object", "Tensor", "Env", "array", "grad"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "s", "o", "d", "r", "f", "x"]), inner, max_size=4)
        | st.fixed_dictionaries({"a": inner, "s": inner, "o": inner})
        | st.fixed_dictionaries({"r": inner, "f": inner})
    ),
    max_leaves=12,
)


@given(JSON, st.binary(max_size=64))
def test_any_json_in_a_header_is_a_value_or_refused(header, body):
    only_value_or_refusal(frame(json.dumps(header).encode(), body))


@given(TREES, st.data())
def test_a_valid_frame_with_changed_bytes_is_a_value_or_refused(tree, data):
    raw = bytearray(wire.dumps(tree))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    only_value_or_refusal(bytes(raw))
    only_value_or_refusal(bytes(raw[:cut]))


@given(st.lists(st.integers(0, 2**70), max_size=9), st.integers(0, 2**70), st.binary(max_size=64))
def test_no_shape_and_offset_reach_past_the_body(shape, offset, body):
    header = {"a": "float64", "s": shape, "o": offset}
    try:
        array = wire.loads(frame(header, body), SMALL)
    except wire.BadReply:
        return
    assert offset + array.nbytes <= len(body)


BOMBS = {
    "deep lists": b"[" * 60_000,
    "deep dicts": b'{"d":{"":' * 6_000,
    "many empty lists": b"[" + b"[]," * 20_000 + b"[]]",
    "many empty dicts": b"[" + b"{}," * 20_000 + b"{}]",
    "many small numbers": b"[" + b"1," * 30_000 + b"1]",
    "one huge number": b"9" * 60_000,
    "a number of 4000 digits": b"9" * 4_000,
    "overlapping arrays": json.dumps([{"a": "uint8", "s": [4096], "o": 0}] * 50).encode(),
    "unknown tag": b'{"py/object":"os.system"}',
    "two tags": b'{"a":"float64","s":[0],"o":0,"d":{}}',
    "pickle": pickle.dumps(print),
    "object array": b'{"a":"object","s":[1],"o":0}',
    "negative side": b'{"a":"uint8","s":[-1],"o":0}',
    "empty with a huge side": b'{"a":"uint8","s":[0,99999999999999999999999],"o":0}',
    "true as a side": b'{"a":"uint8","s":[true],"o":0}',
    "UTF-16": '[1, "é"]'.encode("utf-16"),
    "a record that is not for students": b'{"r":"Env","f":{"d":{"name":"x"}}}',
    "a record with an unknown field": b'{"r":"Tensor","f":{"d":{"x":1}}}',
    "a record with a wrong kind": b'{"r":"Tensor","f":{"d":{"array":"x"}}}',
    "a dict of pairs": b'{"d":[["x",1]]}',
    "a record of a list": b'{"r":"Tensor","f":[1]}',
    "a record without fields": b'{"r":"Trajectory","f":{"d":{}}}',
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_memory(name):
    data = frame(BOMBS[name], bytes(4096))
    tracemalloc.start()
    with pytest.raises(wire.BadReply):
        wire.loads(data, SMALL, records=(Tensor, Trajectory))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * len(data) + (1 << 16)


@pytest.mark.parametrize("lengths", [(2**32 - 1, 0), (0, 2**64 - 1), (1 << 20, 1 << 20)])
def test_a_size_beyond_the_limits_is_refused_before_it_is_read(lengths):
    asked = []

    def read(count):
        asked.append(count)
        return wire.PREFIX.pack(*lengths)[:count]

    with pytest.raises(wire.BadReply, match="large"):
        wire.read_frame(read, SMALL)
    assert asked == [wire.PREFIX.size]


@pytest.mark.parametrize("cut", [1, 11, 12, 20])
def test_half_a_frame_is_refused_and_nothing_at_all_is_the_end(cut):
    whole = wire.dumps({"value": np.arange(3)})
    stream = memoryview(whole)[:cut]

    def read(count):
        nonlocal stream
        piece, stream = bytes(stream[:count]), stream[count:]
        return piece

    with pytest.raises(wire.BadReply, match="breaks off"):
        wire.read_frame(read, SMALL)
    assert wire.read_frame(lambda count: b"", SMALL) is None


def test_a_truth_value_is_zero_or_one_whatever_its_byte():
    array = wire.loads(frame({"a": "bool", "s": [3], "o": 0}, b"\x00\x01\xff"))
    assert array.dtype == bool and array.sum() == 2 and array.view(np.uint8).tolist() == [0, 1, 1]


def test_text_that_no_file_can_hold_is_made_writable():
    tree = wire.loads(frame(b'{"d":{"\\ud800":"a\\udfff"}}'))
    assert [text.encode() for text in (*tree, *tree.values())] == [b"?", b"a?"]


@pytest.mark.parametrize("thing", [object(), {1: 2}, 1j, {1, 2}, b"x", 2**70, np.array([None])])
def test_what_is_not_plain_does_not_travel(thing):
    with pytest.raises(TypeError):
        wire.dumps([thing])


def test_the_sender_can_keep_within_the_readers_limits():
    for tree in ([0] * 600, "x" * 70_000, np.zeros(70_000, np.uint8), [np.zeros(1)] * 60):
        with pytest.raises(wire.TooLarge):
            wire.dumps(tree, SMALL)
    fits = [0] * 400
    assert wire.loads(wire.dumps(fits, SMALL), SMALL) == fits


def test_a_trusted_sender_may_use_every_record():
    sent = Env("Corridor", {"length": 3})
    assert wire.loads(wire.dumps(sent)) == sent
    with pytest.raises(wire.BadReply):
        wire.loads(wire.dumps(sent), records=(Tensor,))


def test_a_tensor_comes_back_with_its_fields():
    back = wire.loads(wire.dumps(Tensor(np.arange(3.0), True)), records=(Tensor,))
    assert back.grad is True and back.array.tolist() == [0, 1, 2]
