"""Plain data over a pipe, without pickle: numbers, strings, lists, dicts, arrays, input records.

A frame is ``header length (4 bytes) | body length (8 bytes) | JSON header | raw array buffers``.
The side that receives from a student decodes under ``Limits`` and gets ``BadReply`` for anything
else: too large, too deep, too many nodes, a dtype that isn't on the list, a buffer out of bounds.
"""

import json
import struct
from dataclasses import dataclass, fields

import numpy as np

from policy_gradients.i18n import N_

PREFIX = struct.Struct(">IQ")
DTYPES = frozenset(
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    + ["float16", "float32", "float64"]
)
# Looked up a thousand times in a reply; NumPy makes a name, or a dtype, anew each time.
NAMES = {np.dtype(name): name for name in DTYPES}
STORED = {name: np.dtype(name).newbyteorder("<") for name in DTYPES} | {"bool": np.dtype("uint8")}
LARGEST = 2**64
MAX_SIDE = 2**40
MAX_AXES = 8
QUESTION_BYTES = 8 << 20  # a student's process asks for an earlier answer with no more
RECORDS: dict[str, type] = {}


class TooLarge(ValueError):
    """A tree that the other side would refuse to read."""


class BadReply(ValueError):
    """What came over the pipe is not plain data within the limits."""


@dataclass(frozen=True)
class Limits:
    """Caps that hold before anything is decoded (bytes) and while it is (depth, nodes, arrays)."""

    header_bytes: int = 8 << 20
    body_bytes: int = 64 << 20
    arrays: int = 20_000
    nodes: int = 400_000
    depth: int = 24


def record(cls):
    """Registers a dataclass of ``inputs`` so that it may travel (by name and fields)."""
    RECORDS[cls.__name__] = cls
    return cls


def dumps(tree, limits: Limits | None = None) -> bytes:
    """Encodes a plain tree as one frame. TypeError for anything that is not plain data, TooLarge
    for what passes the reader's limits."""
    buffers = _Buffers(limits)
    header = json.dumps(_pack(tree, buffers, 0), separators=(",", ":")).encode()
    if limits and len(header) > limits.header_bytes:
        raise TooLarge("the answer is too large")
    body = b"".join(buffers)
    return PREFIX.pack(len(header), len(body)) + header + body


class _Buffers(list):
    """Array buffers in order, their bytes, and the parts of the tree so far."""

    def __init__(self, limits):
        super().__init__()
        self.size = self.nodes = 0
        self.limits = limits

    def append(self, raw: bytes):
        super().append(raw)
        self.size += len(raw)
        if self.limits and (self.size > self.limits.body_bytes or len(self) > self.limits.arrays):
            raise TooLarge("the answer's arrays are too large or too many")

    def count(self, depth):
        self.nodes += 1
        if self.limits and self.nodes > self.limits.nodes:
            raise TooLarge("the answer has too many parts")
        if self.limits and depth > self.limits.depth:
            raise TooLarge("the answer is nested too deeply")


def _pack(node, buffers, depth):
    buffers.count(depth)
    if node is None or isinstance(node, (bool, str)):
        return node
    if isinstance(node, dict):
        return {"d": {_key(key): _pack(value, buffers, depth + 1) for key, value in node.items()}}
    if isinstance(node, (int, np.integer)):
        return _whole(int(node))
    if isinstance(node, (float, np.floating)):
        return float(node)
    if isinstance(node, np.bool_):
        return bool(node)
    if isinstance(node, (list, tuple)):
        return [_pack(item, buffers, depth + 1) for item in node]
    if isinstance(node, np.ndarray):
        return _pack_array(node, buffers)
    if type(node).__name__ in RECORDS and type(node) is RECORDS[type(node).__name__]:
        values = {field.name: getattr(node, field.name) for field in fields(node)}
        return {"r": type(node).__name__, "f": _pack(values, buffers, depth + 1)}
    raise TypeError(f"{type(node).__name__} is not plain data")


def _whole(number):
    if abs(number) > LARGEST:
        raise TypeError("whole numbers beyond 64 bits don't travel")
    return number


def _key(key):
    if not isinstance(key, str):
        raise TypeError("only strings are keys")
    return key


def name_of(dtype) -> str | None:
    """A name of DTYPES, in whatever order the bytes are; None for another dtype."""
    return NAMES.get(dtype.newbyteorder("="))


def _pack_array(array, buffers):
    name = name_of(array.dtype)
    if name is None:
        raise TypeError(f"arrays of dtype {array.dtype} don't travel")
    if array.ndim > MAX_AXES or max(array.shape, default=0) > MAX_SIDE:
        raise TooLarge(f"arrays of shape {array.shape} don't travel")
    raw = array.astype(STORED[name], copy=False).tobytes()
    offset = buffers.size
    buffers.append(raw)
    return {"a": name, "s": list(array.shape), "o": offset}


def read_frame(read, limits: Limits = Limits()) -> bytes | None:
    """One frame through ``read(n) -> bytes`` (exactly n, or fewer at the end); None at the end."""
    prefix = read(PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < PREFIX.size:
        raise BadReply(N_("the reply breaks off in its first bytes"))
    header_length, body_length = PREFIX.unpack(prefix)
    if header_length > limits.header_bytes or body_length > limits.body_bytes:
        raise BadReply(N_("the reply is too large"))
    rest = read(header_length + body_length)
    if len(rest) < header_length + body_length:
        raise BadReply(N_("the reply breaks off"))
    return prefix + rest


def loads(frame: bytes, limits: Limits = Limits(), records=None):
    """Decodes one frame into a plain tree. Raises BadReply where it breaks a limit or a rule.

    records: the record classes that may be in it, with fields of their kinds (None: the sender is
    trusted, all).
    """
    if len(frame) < PREFIX.size:
        raise BadReply(N_("the reply breaks off in its first bytes"))
    header_length, body_length = PREFIX.unpack(frame[: PREFIX.size])
    if header_length > limits.header_bytes or body_length > limits.body_bytes:
        raise BadReply(N_("the reply is too large"))
    if len(frame) != PREFIX.size + header_length + body_length:
        raise BadReply(N_("the reply's lengths don't add up"))
    start = PREFIX.size + header_length
    header = _parsed(frame[PREFIX.size : start], limits)
    return _Unpacker(memoryview(frame)[start:], limits, records).unpack(header, 0)


def _parsed(header, limits):
    """The header's JSON, once its brackets and commas show that it has not too many parts: JSON
    unfolds to about thirty times its size in memory."""
    if header.count(b"[") + header.count(b"{") > 4 * limits.nodes + 16:
        raise BadReply(N_("the reply has too many parts"))
    if header.count(b",") > 8 * limits.nodes + 1024:
        raise BadReply(N_("the reply has too many parts"))
    try:
        return json.loads(header.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadReply(N_("the reply is not valid JSON")) from error


class _Unpacker:
    def __init__(self, body, limits, records):
        self.body, self.limits = body, limits
        self.strict = records is not None
        self.records = {r.__name__: r for r in records} if self.strict else RECORDS
        self.nodes = self.arrays = self.array_bytes = 0

    def unpack(self, node, depth):
        self.nodes += 1
        if depth > self.limits.depth or self.nodes > self.limits.nodes:
            raise BadReply(N_("the reply is nested too deeply or has too many parts"))
        if node is None or isinstance(node, (bool, float)):
            return node
        if isinstance(node, str):
            return _clean(node)
        if isinstance(node, int):
            return self._unpack_int(node)
        if isinstance(node, list):
            return [self.unpack(item, depth + 1) for item in node]
        if isinstance(node, dict):
            return self._unpack_tagged(node, depth)
        raise BadReply(N_("the reply holds something that is not plain data"))

    @staticmethod
    def _unpack_int(node):
        if abs(node) > LARGEST:
            raise BadReply(N_("a whole number of the reply is beyond 64 bits"))
        return node

    def _unpack_tagged(self, node, depth):
        tags = set(node)
        if tags == {"d"}:
            return self._unpack_dict(node["d"], depth)
        if tags == {"a", "s", "o"}:
            return self._unpack_array(node["a"], node["s"], node["o"])
        if tags == {"r", "f"} and isinstance(node["r"], str) and node["r"] in self.records:
            return self._unpack_record(self.records[node["r"]], self.unpack(node["f"], depth + 1))
        raise BadReply(N_("the reply holds an unknown tag"))

    def _unpack_record(self, cls, values):
        """A record; from a student, with all its fields of the kinds that its class says."""
        kinds = cls.__annotations__
        if not isinstance(values, dict) or not set(values) <= set(kinds):
            raise BadReply(N_("a record's fields are wrong"))
        if self.strict and any(type(value) is not kinds[name] for name, value in values.items()):
            raise BadReply(N_("a record's fields are wrong"))
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise BadReply(N_("a record's fields are wrong")) from error

    def _unpack_dict(self, node, depth):
        if not isinstance(node, dict):
            raise BadReply(N_("a dict's items are wrong"))
        return {_clean(key): self.unpack(value, depth + 1) for key, value in node.items()}

    def _unpack_array(self, dtype, shape, offset):
        self.arrays += 1
        known = isinstance(dtype, str) and dtype in DTYPES and _is_count(offset)
        whole = isinstance(shape, list) and len(shape) <= MAX_AXES and all(map(_is_count, shape))
        if self.arrays > self.limits.arrays or not known or not whole:
            raise BadReply(N_("an array of the reply is not allowed"))
        size = 1
        for n in shape:
            size *= n
        end = offset + size * STORED[dtype].itemsize
        self.array_bytes += end - offset
        # Overlapping buffers would let a small reply unfold into a large one.
        if end > len(self.body) or self.array_bytes > len(self.body):
            raise BadReply(N_("an array of the reply reaches past its end"))
        return _array(self.body[offset:end], dtype, shape)


def _is_count(number):
    return type(number) is int and 0 <= number <= MAX_SIDE


def _array(raw, dtype, shape):
    """A copy of the bytes as an array; a truth value is 0 or 1 whatever its byte was."""
    try:
        flat = np.frombuffer(raw, dtype=STORED[dtype]).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise BadReply(N_("an array of the reply is not allowed")) from error
    return np.asarray(flat != 0) if dtype == "bool" else flat.astype(dtype, copy=True)


def _clean(text):
    """Text that can be written to any file: half surrogate pairs become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
