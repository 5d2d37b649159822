"""Plain data over a pipe, without pickle: numbers, strings, lists, dicts, arrays, input records.

A frame is ``header length (4 bytes) | body length (8 bytes) | JSON header | raw array buffers``.
The side that receives from a student decodes under ``Limits`` and gets ``BadReply`` for anything
else: too large, too deep, too many nodes, a dtype that isn't on the list, a buffer out of bounds.
"""

import json
import struct
from dataclasses import dataclass, fields

import numpy as np

PREFIX = struct.Struct(">IQ")
DTYPES = frozenset(
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    + ["float16", "float32", "float64"]
)
RECORDS: dict[str, type] = {}


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


def dumps(tree) -> bytes:
    """Encodes a plain tree as one frame. TypeError for anything that is not plain data."""
    buffers = _Buffers()
    header = json.dumps(_pack(tree, buffers), separators=(",", ":")).encode()
    body = b"".join(buffers)
    return PREFIX.pack(len(header), len(body)) + header + body


class _Buffers(list):
    """Array buffers in order, and the bytes so far."""

    size = 0

    def append(self, raw: bytes):
        super().append(raw)
        self.size += len(raw)


def _pack(node, buffers):
    if node is None or isinstance(node, (bool, str)):
        return node
    if isinstance(node, (int, np.integer)):
        return int(node)
    if isinstance(node, (float, np.floating)):
        return float(node)
    if isinstance(node, np.bool_):
        return bool(node)
    if isinstance(node, (list, tuple)):
        return [_pack(item, buffers) for item in node]
    if isinstance(node, dict):
        return {"d": [[_key(key), _pack(value, buffers)] for key, value in node.items()]}
    if isinstance(node, np.ndarray):
        return _pack_array(node, buffers)
    if type(node).__name__ in RECORDS and type(node) is RECORDS[type(node).__name__]:
        values = {field.name: getattr(node, field.name) for field in fields(node)}
        return {"r": type(node).__name__, "f": _pack(values, buffers)}
    raise TypeError(f"{type(node).__name__} is not plain data")


def _key(key):
    if not isinstance(key, str):
        raise TypeError("only strings are keys")
    return key


def _pack_array(array, buffers):
    if array.dtype.name not in DTYPES:
        raise TypeError(f"arrays of dtype {array.dtype} don't travel")
    raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    offset = buffers.size
    buffers.append(raw)
    return {"a": array.dtype.name, "s": list(array.shape), "o": offset}


def read_frame(read, limits: Limits = Limits()) -> bytes | None:
    """One frame through ``read(n) -> bytes`` (exactly n, or fewer at the end); None at the end."""
    prefix = read(PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < PREFIX.size:
        raise BadReply("the reply breaks off in its first bytes")
    header_length, body_length = PREFIX.unpack(prefix)
    if header_length > limits.header_bytes or body_length > limits.body_bytes:
        raise BadReply(f"the reply is too large ({header_length + body_length} bytes)")
    rest = read(header_length + body_length)
    if len(rest) < header_length + body_length:
        raise BadReply("the reply breaks off")
    return prefix + rest


def loads(frame: bytes, limits: Limits = Limits(), records=None):
    """Decodes one frame into a plain tree. Raises BadReply where it breaks a limit or a rule.

    records: the record classes that may be in it (None: all).
    """
    if len(frame) < PREFIX.size:
        raise BadReply("the reply breaks off in its first bytes")
    header_length, body_length = PREFIX.unpack(frame[: PREFIX.size])
    if header_length > limits.header_bytes or body_length > limits.body_bytes:
        raise BadReply("the reply is too large")
    if len(frame) != PREFIX.size + header_length + body_length:
        raise BadReply("the reply's lengths don't add up")
    start = PREFIX.size + header_length
    try:
        header = json.loads(frame[PREFIX.size : start])
    except (ValueError, RecursionError) as error:
        raise BadReply("the reply is not valid JSON") from error
    return _Unpacker(memoryview(frame)[start:], limits, records).unpack(header, 0)


class _Unpacker:
    def __init__(self, body, limits, records):
        self.body, self.limits = body, limits
        self.records = RECORDS if records is None else {r.__name__: r for r in records}
        self.nodes = self.arrays = self.array_bytes = 0

    def unpack(self, node, depth):
        self.nodes += 1
        if depth > self.limits.depth or self.nodes > self.limits.nodes:
            raise BadReply("the reply is nested too deeply or has too many parts")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.unpack(item, depth + 1) for item in node]
        if isinstance(node, dict):
            return self._unpack_tagged(node, depth)
        raise BadReply("the reply holds something that is not plain data")

    def _unpack_tagged(self, node, depth):
        tags = set(node)
        if tags == {"d"}:
            return self._unpack_dict(node["d"], depth)
        if tags == {"a", "s", "o"}:
            return self._unpack_array(node["a"], node["s"], node["o"])
        if tags == {"r", "f"} and isinstance(node["r"], str) and node["r"] in self.records:
            values = self.unpack(node["f"], depth + 1)
            try:
                return self.records[node["r"]](**values)
            except TypeError as error:
                raise BadReply("a record's fields are wrong") from error
        raise BadReply("the reply holds an unknown tag")

    def _unpack_dict(self, pairs, depth):
        if not isinstance(pairs, list):
            raise BadReply("a dict's items are wrong")
        result = {}
        for pair in pairs:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise BadReply("a dict's items are wrong")
            result[pair[0]] = self.unpack(pair[1], depth + 1)
        return result

    def _unpack_array(self, dtype, shape, offset):
        self.arrays += 1
        whole = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        if self.arrays > self.limits.arrays or not whole:
            raise BadReply("an array of the reply is not allowed")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise BadReply("an array of the reply is not allowed")
        if len(shape) > 8 or type(offset) is not int or offset < 0:
            raise BadReply("an array of the reply is not allowed")
        size = 1
        for n in shape:
            size *= n
        end = offset + size * np.dtype(dtype).itemsize
        self.array_bytes += end - offset
        # Overlapping buffers would let a small reply unfold into a large one.
        if end > len(self.body) or self.array_bytes > len(self.body):
            raise BadReply("an array of the reply reaches past its end")
        flat = np.frombuffer(self.body[offset:end], dtype=np.dtype(dtype).newbyteorder("<"))
        return flat.reshape(shape).astype(dtype, copy=True)
