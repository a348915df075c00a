"""Caffe plate recognisers as ONNX: convolution stacks with CTC output, laid out like PaddleOCR's recognisers.

Reads the binary network directly (protobuf wire format), since no Caffe or OpenCV importer of today does.
Field numbers: caffe.proto of BVLC Caffe 1.0 and its extension for half floats (raw_data_type, raw_data).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]
Fields = dict[int, list[int | bytes]]

_RAW_KINDS = {0: "<f8", 1: "<f4", 2: "<f2"}
_OPSET = 17
_IR_VERSION = 9


class CaffeError(ValueError):
    """The network is damaged or has a layer that is not converted."""


def convert_recogniser(model: bytes, characters: Sequence[str], *, height: int, width: int, skip: int) -> bytes:
    """An ONNX model from a Caffe network that reads text turned by 90° (input 3×width×height, BGR 0–1).

    The result takes N×3×height×width, BGR scaled to -1…1, and gives N×time×classes with the blank first (the
    network has it last). `characters`: its other classes in order, kept in the metadata as `character`;
    `skip`: first time steps that its authors throw away. Raises `CaffeError`.
    """
    graph = _Graph()
    source = graph.add("Mul", ["image", graph.constant("half", np.array(0.5, np.float32))])
    source = graph.add("Add", [source, "half"])
    graph.named["data"] = graph.add("Transpose", [source], perm=[0, 1, 3, 2])
    layers = [_Layer.parse(raw) for raw in _bytes_of(_fields(model), 100)]
    last = ""
    for layer in layers:
        if layer.kind not in _LAYERS:
            raise CaffeError(f"layer {layer.name!r}: the type {layer.kind!r} is not converted")
        last = _LAYERS[layer.kind](graph, layer)
        graph.named.update(dict.fromkeys(layer.tops, last))
    _finish(graph, last, len(characters), skip)
    return graph.model(characters, height, width)


def with_characters(model: bytes, characters: Sequence[str]) -> bytes:
    """An ONNX recogniser with its classes (after the blank) written into its metadata as `character`."""
    loaded = onnx.load_from_string(model)
    helper.set_model_props(loaded, {"character": "\n".join(characters)})
    return bytes(loaded.SerializeToString())


def _finish(graph: _Graph, last: str, classes: int, skip: int) -> None:
    flat = graph.add("Squeeze", [last, graph.integers("axis3", [3])])
    rows = graph.add("Transpose", [flat], perm=[0, 2, 1])
    blank = _slice(graph, rows, (skip, classes), (1 << 30, classes + 1), "blank")
    signs = _slice(graph, rows, (skip, 0), (1 << 30, classes), "signs")
    graph.add("Concat", [blank, signs], output="probabilities", axis=2)


def _slice(graph: _Graph, source: str, start: tuple[int, int], stop: tuple[int, int], name: str) -> str:
    return graph.add(
        "Slice",
        [
            source,
            graph.integers(f"{name}_start", list(start)),
            graph.integers(f"{name}_stop", list(stop)),
            graph.integers(f"{name}_axes", [1, 2]),
        ],
    )


@dataclass(slots=True)
class _Graph:
    """ONNX nodes in the making; `named` maps Caffe's blob names, which layers overwrite, to ONNX values."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        value = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [value], name=f"n{len(self.nodes)}", **attributes))
        return value

    def constant(self, name: str, value: Floats) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, name: str, values: list[int]) -> str:
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def model(self, characters: Sequence[str], height: int, width: int) -> bytes:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, height, width])
        out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "time", len(characters) + 1])
        graph = helper.make_graph(self.nodes, "plate-recogniser", [image], [out], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="shoufu")
        model.ir_version = _IR_VERSION
        helper.set_model_props(model, {"character": "\n".join(characters)})
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    kind: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    blobs: tuple[Floats, ...]
    parts: Fields

    @staticmethod
    def parse(raw: bytes) -> _Layer:
        parts = _fields(raw)
        texts = {number: [value.decode() for value in _bytes_of(parts, number)] for number in (1, 2, 3, 4)}
        blobs = tuple(_blob(value) for value in _bytes_of(parts, 7))
        return _Layer("".join(texts[1]), "".join(texts[2]), tuple(texts[3]), tuple(texts[4]), blobs, parts)

    def settings(self, number: int) -> Fields:
        found = _bytes_of(self.parts, number)
        return _fields(found[0]) if found else {}


def _input(graph: _Graph, layer: _Layer) -> str:
    return graph.named["data"]


def _split(graph: _Graph, layer: _Layer) -> str:
    return graph.named[layer.bottoms[0]]


def _convolution(graph: _Graph, layer: _Layer) -> str:
    settings = layer.settings(106)
    inputs = [graph.named[layer.bottoms[0]], graph.constant(f"{layer.name}_w", layer.blobs[0])]
    if len(layer.blobs) > 1:
        inputs.append(graph.constant(f"{layer.name}_b", layer.blobs[1].reshape(-1)))
    pad = _pair(settings, 3, 9, 10, 0)
    return graph.add(
        "Conv",
        inputs,
        kernel_shape=list(layer.blobs[0].shape[2:]),
        strides=_pair(settings, 6, 13, 14, 1),
        pads=pad * 2,
        group=_number(settings, 5, 1),
    )


def _batch_norm(graph: _Graph, layer: _Layer) -> str:
    mean, variance, factor = (blob.reshape(-1) for blob in layer.blobs)
    scale = np.float32(0 if factor[0] == 0 else 1 / factor[0])
    raw = layer.settings(139).get(3)
    epsilon = struct.unpack("<f", raw[0])[0] if raw and isinstance(raw[0], bytes) else 1e-5
    deviation = np.sqrt(variance * scale + np.float32(epsilon))
    shape = (1, -1, 1, 1)
    gain = graph.constant(f"{layer.name}_gain", (1 / deviation).astype(np.float32).reshape(shape))
    shift = graph.constant(f"{layer.name}_shift", (-mean * scale / deviation).astype(np.float32).reshape(shape))
    return graph.add("Add", [graph.add("Mul", [graph.named[layer.bottoms[0]], gain]), shift])


def _scale(graph: _Graph, layer: _Layer) -> str:
    shape = (1, -1, 1, 1)
    gain = graph.constant(f"{layer.name}_gain", layer.blobs[0].reshape(shape))
    scaled = graph.add("Mul", [graph.named[layer.bottoms[0]], gain])
    if len(layer.blobs) == 1:
        return scaled
    return graph.add("Add", [scaled, graph.constant(f"{layer.name}_shift", layer.blobs[1].reshape(shape))])


def _relu(graph: _Graph, layer: _Layer) -> str:
    return graph.add("Relu", [graph.named[layer.bottoms[0]]])


def _pooling(graph: _Graph, layer: _Layer) -> str:
    settings = layer.settings(121)
    if _number(settings, 1, 0) != 0:
        raise CaffeError(f"layer {layer.name!r}: only maximum pooling is converted")
    return graph.add(
        "MaxPool",
        [graph.named[layer.bottoms[0]]],
        kernel_shape=_pair(settings, 2, 5, 6, 1),
        strides=_pair(settings, 3, 7, 8, 1),
        pads=_pair(settings, 4, 9, 10, 0) * 2,
        ceil_mode=1,
    )


def _concat(graph: _Graph, layer: _Layer) -> str:
    return graph.add("Concat", [graph.named[bottom] for bottom in layer.bottoms], axis=1)


def _softmax(graph: _Graph, layer: _Layer) -> str:
    return graph.add("Softmax", [graph.named[layer.bottoms[0]]], axis=1)


_LAYERS: dict[str, Callable[[_Graph, _Layer], str]] = {
    "Input": _input,
    "Split": _split,
    "Convolution": _convolution,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "ReLU": _relu,
    "Pooling": _pooling,
    "Concat": _concat,
    "Softmax": _softmax,
}


def _number(settings: Fields, number: int, default: int) -> int:
    found = settings.get(number)
    return found[0] if found and isinstance(found[0], int) else default


def _pair(settings: Fields, both: int, tall: int, wide: int, default: int) -> list[int]:
    base = _number(settings, both, default)
    return [_number(settings, tall, base), _number(settings, wide, base)]


def _blob(raw: bytes) -> Floats:
    parts = _fields(raw)
    kind = _RAW_KINDS.get(_number(parts, 10, 1))
    if kind is None:
        raise CaffeError("a blob has values of an unknown kind")
    values = np.frombuffer(b"".join(_bytes_of(parts, 5)), "<f4").astype(np.float32)
    if 12 in parts:
        values = np.frombuffer(b"".join(_bytes_of(parts, 12)), kind).astype(np.float32)
    shapes = _bytes_of(parts, 7)
    if shapes:
        sizes = [size for block in _bytes_of(_fields(shapes[0]), 1) for size in _varints(block)]
    else:
        sizes = [_number(parts, number, 1) for number in (1, 2, 3, 4)]
    if int(np.prod(sizes)) != values.size:
        raise CaffeError(f"a blob says {sizes} but holds {values.size} values")
    return values.reshape(sizes)


def _bytes_of(parts: Fields, number: int) -> list[bytes]:
    return [value for value in parts.get(number, []) if isinstance(value, bytes)]


def _fields(raw: bytes) -> Fields:
    """Fields of one protobuf message by number; 32- and 64-bit values stay bytes."""
    found: Fields = defaultdict(list)
    position = 0
    try:
        while position < len(raw):
            key, position = _varint(raw, position)
            number, wire = key >> 3, key & 7
            if wire == 0:
                value, position = _varint(raw, position)
                found[number].append(value)
                continue
            size, position = (8, position) if wire == 1 else (4, position) if wire == 5 else _varint(raw, position)
            if wire not in (1, 2, 5) or position + size > len(raw):
                raise CaffeError("the file is cut off or is not a Caffe network")
            found[number].append(raw[position : position + size])
            position += size
    except IndexError as error:
        raise CaffeError("the file is cut off or is not a Caffe network") from error
    return dict(found)


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[position]
        value |= (byte & 127) << shift
        position += 1
        shift += 7
        if byte < 128:
            return value, position


def _varints(raw: bytes) -> Iterator[int]:
    position = 0
    while position < len(raw):
        value, position = _varint(raw, position)
        yield value
