"""TensorFlow.js graph models to ONNX, for the operators of convolutional detectors.

The ONNX model is NCHW throughout: weights and axes are rearranged once, here, so that no tensor is transposed at
run time except the picture itself. Its input is a picture as it is decoded (1 x height x width x 3, uint8), of any
size that the network's strides divide.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

_OPSET = 17
_IR_VERSION = 8
_DTYPES = {"float32": np.float32, "int32": np.int32, "float16": np.float16}

Size = tuple[int, int]
Array = npt.NDArray[Any]


class UnsupportedModel(ValueError):
    """The graph holds something that this converter does not know; the text names the node."""


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def integers(self, key: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.attributes[key]["list"]["i"])

    def text(self, key: str) -> str:
        return base64.b64decode(self.attributes[key]["s"]).decode()

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(base64.b64decode(value).decode() for value in self.attributes[key]["list"].get("s", ()))

    def flag(self, key: str) -> bool:
        return bool(self.attributes.get(key, {}).get("b", False))


def convert(
    graph: bytes, weights: bytes, *, outputs: Sequence[str], channels: Mapping[str, Sequence[int]] | None = None
) -> bytes:
    """The ONNX model (serialised) that computes `outputs` of a TensorFlow.js graph model.

    `graph` is the model.json, `weights` its single weights file. `channels` keeps only some channels of an output
    that ends in a convolution, so that the others cost nothing. Raises `UnsupportedModel`.
    """
    document = json.loads(graph)
    nodes = {node.name: node for node in map(_read_node, document["modelTopology"]["node"])}
    return _Converter(nodes, _read_weights(document, weights), channels or {}).run(outputs)


def _read_node(node: dict[str, Any]) -> _Node:
    return _Node(node["name"], node["op"], tuple(node.get("input", ())), node.get("attr", {}))


def _read_weights(document: dict[str, Any], data: bytes) -> dict[str, Array]:
    constants: dict[str, Array] = {}
    offset = 0
    for group in document["weightsManifest"]:
        for spec in group["weights"]:
            stored = np.dtype(_DTYPES[spec.get("quantization", spec)["dtype"]])
            count = math.prod(spec["shape"])
            values = np.frombuffer(data, stored, count, offset).reshape(spec["shape"])
            constants[spec["name"]] = values.astype(_DTYPES[spec["dtype"]])
            offset += count * stored.itemsize
    if offset != len(data):
        raise UnsupportedModel(f"the weights file has {len(data)} bytes, its manifest describes {offset}")
    return constants


@dataclass(slots=True)
class _Converter:
    nodes: Mapping[str, _Node]
    constants: Mapping[str, Array]
    channels: Mapping[str, Sequence[int]]
    onnx_nodes: list[Any] = field(default_factory=list)
    initialisers: dict[str, Array] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    kept: dict[str, Sequence[int]] = field(default_factory=dict)

    def run(self, outputs: Sequence[str]) -> bytes:
        from onnx import TensorProto, checker, helper, numpy_helper

        for output in outputs:
            self._keep_channels(output)
        for name in self._ordered(outputs):
            self._emit(self.nodes[name])
        short = {output: output.rsplit("/", 1)[-1] for output in outputs}
        for output, name in short.items():
            if name != output:
                self._add("Identity", [output], name)
        model = helper.make_model(
            helper.make_graph(
                self.onnx_nodes,
                "detector",
                [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "height", "width", 3])],
                [
                    helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None])
                    for name in short.values()
                ],
                [numpy_helper.from_array(value, name) for name, value in self.initialisers.items()],
            ),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="shoufu",
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _ordered(self, outputs: Sequence[str]) -> list[str]:
        """Names of the computing nodes that the outputs need, each after its inputs."""
        order: dict[str, None] = {}
        stack = [(name, False) for name in reversed(outputs)]
        while stack:
            name, ready = stack.pop()
            if name in order or name in self.constants:
                continue
            if ready:
                order[name] = None
                continue
            stack.append((name, True))
            stack.extend((source, False) for source in reversed(self.nodes[name].inputs))
        return list(order)

    def _keep_channels(self, output: str) -> None:
        if output not in self.channels:
            return
        node = self.nodes[output]
        while node.op in {"Identity", "Sigmoid"}:
            node = self.nodes[node.inputs[0]]
        if node.op != "_FusedConv2D":
            raise UnsupportedModel(f"{output} does not end in a convolution, but in {node.op} ({node.name})")
        self.kept[node.name] = self.channels[output]

    def _emit(self, node: _Node) -> None:
        emitters: dict[str, Callable[[_Node], None]] = {
            "Placeholder": self._placeholder,
            "Conv2D": self._convolution,
            "_FusedConv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "FusedDepthwiseConv2dNative": self._convolution,
            "Add": self._binary,
            "AddV2": self._binary,
            "Mul": self._binary,
            "Relu": self._unary,
            "Relu6": self._relu6,
            "Sigmoid": self._unary,
            "Identity": self._unary,
            "Mean": self._mean,
            "ConcatV2": self._concat,
            "ResizeBilinear": self._resize,
        }
        if node.op not in emitters:
            raise UnsupportedModel(f"operator {node.op} of {node.name} is not known")
        emitters[node.op](node)

    def _add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.onnx_nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))

    def _constant(self, name: str, value: Array) -> str:
        self.initialisers.setdefault(name, np.ascontiguousarray(value))
        return name

    def _placeholder(self, node: _Node) -> None:
        _, height, width, _ = (int(dim["size"]) for dim in node.attributes["shape"]["shape"]["dim"])
        self.sizes[node.name] = (height, width)
        self._add("Cast", ["image"], f"{node.name}:float", to=1)
        self._add("Transpose", [f"{node.name}:float"], node.name, perm=[0, 3, 1, 2])

    def _convolution(self, node: _Node) -> None:
        source, weight_name, *biases = node.inputs
        weights = self.constants[weight_name]
        depthwise = "Depthwise" in node.op
        keep = self.kept.get(node.name)
        if depthwise:
            # Height x width x channel x multiplier; with a multiplier of one each channel is its own group.
            if weights.shape[3] != 1:
                raise UnsupportedModel(f"{node.name}: depth multiplier {weights.shape[3]}")
            kernel = weights.transpose(2, 3, 0, 1)
        else:
            kernel = weights.transpose(3, 2, 0, 1)
        if keep is not None:
            kernel = kernel[list(keep)]
        stride = node.integers("strides")[1:3]
        dilation = node.integers("dilations")[1:3]
        pads = self._pads(
            node, (weights.shape[0], weights.shape[1]), (stride[0], stride[1]), (dilation[0], dilation[1])
        )
        fused = node.texts("fused_ops") if "fused_ops" in node.attributes else ()
        activations = [op for op in fused if op != "BiasAdd"]
        inputs = [source, self._constant(weight_name, kernel)]
        if biases:
            bias = self.constants[biases[0]]
            inputs.append(self._constant(biases[0], bias if keep is None else bias[list(keep)]))
        result = f"{node.name}:conv" if activations else node.name
        self._add(
            "Conv",
            inputs,
            result,
            kernel_shape=list(weights.shape[:2]),
            strides=list(stride),
            dilations=list(dilation),
            pads=pads,
            group=weights.shape[2] if depthwise else 1,
        )
        if activations:
            self._activation(node, activations[0], result)

    def _activation(self, node: _Node, kind: str, source: str) -> None:
        match kind:
            case "Relu":
                self._add("Relu", [source], node.name)
            case "Relu6":
                self._clip6(source, node.name)
            case _:
                raise UnsupportedModel(f"{node.name}: fused {kind}")

    def _pads(self, node: _Node, kernel: Size, stride: Size, dilation: Size) -> list[int]:
        """ONNX pads [top, left, bottom, right]; TensorFlow's SAME puts the odd one at the end."""
        size = self.sizes[node.inputs[0]]
        if node.text("padding") == "VALID":
            reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
            out = [(n - r - 1) // s + 1 for n, r, s in zip(size, reach, stride, strict=True)]
            self.sizes[node.name] = (out[0], out[1])
            return [0, 0, 0, 0]
        out = [math.ceil(n / s) for n, s in zip(size, stride, strict=True)]
        self.sizes[node.name] = (out[0], out[1])
        total = [
            max((o - 1) * s + (k - 1) * d + 1 - n, 0)
            for o, s, k, d, n in zip(out, stride, kernel, dilation, size, strict=True)
        ]
        return [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]

    def _binary(self, node: _Node) -> None:
        inputs = []
        for name in node.inputs:
            if name not in self.constants:
                inputs.append(name)
                self.sizes.setdefault(node.name, self.sizes[name])
                continue
            value = self.constants[name]
            if value.ndim > 1:
                raise UnsupportedModel(f"{node.name}: constant of shape {value.shape}")
            inputs.append(self._constant(name, value.reshape(-1, 1, 1) if value.ndim else value))
        # Of two tensors the larger one decides (a squeeze-and-excite gate is 1 x 1).
        self.sizes[node.name] = max(self.sizes[name] for name in node.inputs if name in self.sizes)
        self._add("Add" if node.op == "AddV2" else node.op, inputs, node.name)

    def _unary(self, node: _Node) -> None:
        self.sizes[node.name] = self.sizes[node.inputs[0]]
        self._add(node.op, node.inputs, node.name)

    def _relu6(self, node: _Node) -> None:
        self.sizes[node.name] = self.sizes[node.inputs[0]]
        self._clip6(node.inputs[0], node.name)

    def _clip6(self, source: str, output: str) -> None:
        low = self._constant("zero", np.array(0, np.float32))
        high = self._constant("six", np.array(6, np.float32))
        self._add("Clip", [source, low, high], output)

    def _mean(self, node: _Node) -> None:
        axes = tuple(int(axis) for axis in self.constants[node.inputs[1]])
        if axes != (1, 2) or not node.flag("keep_dims"):
            raise UnsupportedModel(f"{node.name}: mean over axes {axes}")
        self.sizes[node.name] = (1, 1)
        self._add("GlobalAveragePool", [node.inputs[0]], node.name)

    def _concat(self, node: _Node) -> None:
        *sources, axis = node.inputs
        if int(self.constants[axis]) not in {3, -1}:
            raise UnsupportedModel(f"{node.name}: concatenation on axis {int(self.constants[axis])}")
        self.sizes[node.name] = self.sizes[sources[0]]
        self._add("Concat", sources, node.name, axis=1)

    def _resize(self, node: _Node) -> None:
        source, target = node.inputs
        height, width = (int(value) for value in self.constants[target])
        from_height, from_width = self.sizes[source]
        if node.flag("align_corners"):
            raise UnsupportedModel(f"{node.name}: align_corners")
        mode = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
        scales = np.array([1, 1, height / from_height, width / from_width], np.float32)
        self.sizes[node.name] = (height, width)
        inputs = [source, "", self._constant(f"{node.name}:scales", scales)]
        self._add("Resize", inputs, node.name, mode="linear", coordinate_transformation_mode=mode)
