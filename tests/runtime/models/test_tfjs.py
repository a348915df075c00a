import base64
import json

import numpy as np
import onnxruntime
import pytest

from shoufu.runtime.models.tfjs import UnsupportedModel, convert

RANDOM = np.random.default_rng(7)
SIDE = 8


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def integers(*values: int) -> dict[str, object]:
    return {"list": {"i": [str(value) for value in values]}}


def conv(name: str, op: str, inputs: list[str], stride: int, fused: list[str]) -> dict[str, object]:
    attributes = {
        "strides": integers(1, stride, stride, 1),
        "dilations": integers(1, 1, 1, 1),
        "padding": text("SAME"),
        "fused_ops": {"list": {"s": [base64.b64encode(one.encode()).decode() for one in fused]}},
    }
    return {"name": name, "op": op, "input": inputs, "attr": attributes}


def model(nodes: list[dict[str, object]], constants: dict[str, np.ndarray]) -> tuple[bytes, bytes]:
    """A TensorFlow.js graph model with weights kept as float16, as the real ones are."""
    shape = {"shape": {"dim": [{"size": str(size)} for size in (1, SIDE, SIDE, 3)]}}
    graph = [{"name": "in", "op": "Placeholder", "attr": {"shape": shape}}, *nodes]
    weights, data = [], b""
    for name, value in constants.items():
        spec = {"name": name, "shape": list(value.shape), "dtype": "int32" if value.dtype == np.int32 else "float32"}
        if value.dtype == np.float16:
            spec["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        weights.append(spec)
        data += value.tobytes()
    document = {"modelTopology": {"node": graph}, "weightsManifest": [{"weights": weights}]}
    return json.dumps(document).encode(), data


def run(onnx: bytes, picture: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(onnx).run(None, {"image": picture})[0]


def reference_conv(x: np.ndarray, kernel: np.ndarray, stride: int, depthwise: bool) -> np.ndarray:
    """TensorFlow's SAME convolution, NHWC, by its definition."""
    size, reach = -(-x.shape[0] // stride), kernel.shape[0]
    total = max((size - 1) * stride + reach - x.shape[0], 0)
    padded = np.pad(x, ((total // 2, total - total // 2), (total // 2, total - total // 2), (0, 0)))
    out = np.zeros((size, size, kernel.shape[2] if depthwise else kernel.shape[3]))
    for row in range(size):
        for column in range(size):
            patch = padded[row * stride : row * stride + reach, column * stride : column * stride + reach]
            if depthwise:
                out[row, column] = (patch * kernel[..., 0]).sum((0, 1))
            else:
                out[row, column] = np.einsum("ijc,ijco->o", patch, kernel)
    return out


def half(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 0.3, shape).astype(np.float16)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("reach", [1, 3, 5])
def test_convolutions_compute_what_tensorflow_defines(stride, reach):
    constants = {"w": half(reach, reach, 3, 4), "b": half(4), "d": half(reach, reach, 4, 1), "db": half(4)}
    nodes = [
        conv("c", "_FusedConv2D", ["in", "w", "b"], stride, ["BiasAdd", "Relu"]),
        conv("out", "FusedDepthwiseConv2dNative", ["c", "d", "db"], stride, ["BiasAdd"]),
    ]
    picture = RANDOM.integers(0, 255, (1, SIDE, SIDE, 3), np.uint8)
    got = run(convert(*model(nodes, constants), outputs=["out"]), picture)
    wide = {name: value.astype(np.float64) for name, value in constants.items()}
    hidden = np.maximum(reference_conv(picture[0].astype(np.float64), wide["w"], stride, False) + wide["b"], 0)
    expected = reference_conv(hidden, wide["d"], stride, True) + wide["db"]
    assert got[0].transpose(1, 2, 0) == pytest.approx(expected, rel=1e-4, abs=1e-2)


def test_only_the_chosen_channels_are_computed():
    constants = {"w": half(1, 1, 3, 6), "b": half(6)}
    nodes = [
        conv("c", "_FusedConv2D", ["in", "w", "b"], 1, ["BiasAdd"]),
        {"name": "s", "op": "Sigmoid", "input": ["c"], "attr": {}},
        {"name": "out", "op": "Identity", "input": ["s"], "attr": {}},
    ]
    picture = RANDOM.integers(0, 255, (1, SIDE, SIDE, 3), np.uint8)
    whole = run(convert(*model(nodes, constants), outputs=["out"]), picture)
    some = run(convert(*model(nodes, constants), outputs=["out"], channels={"out": (4, 1)}), picture)
    assert some == pytest.approx(whole[:, [4, 1]])


def test_a_gate_a_resize_and_a_concatenation_keep_their_axes():
    constants = {
        "w": half(1, 1, 3, 3),
        "axes": np.array([1, 2], np.int32),
        "axis": np.array(3, np.int32),
        "size": np.array([2 * SIDE, 2 * SIDE], np.int32),
    }
    nodes = [
        {"name": "m", "op": "Mean", "input": ["in", "axes"], "attr": {"keep_dims": {"b": True}}},
        conv("g", "_FusedConv2D", ["m", "w"], 1, []),
        {"name": "p", "op": "Mul", "input": ["in", "g"], "attr": {}},
        {"name": "j", "op": "ConcatV2", "input": ["in", "p", "axis"], "attr": {}},
        {"name": "out", "op": "ResizeBilinear", "input": ["j", "size"], "attr": {"align_corners": {"b": False}}},
    ]
    picture = RANDOM.integers(0, 255, (1, SIDE, SIDE, 3), np.uint8)
    got = run(convert(*model(nodes, constants), outputs=["out"]), picture)[0]
    gated = picture[0] * (picture[0].mean((0, 1)) @ constants["w"][0, 0].astype(np.float64))
    joined = np.concatenate([picture[0], gated], axis=2).transpose(2, 0, 1)
    assert got.shape == (6, 2 * SIDE, 2 * SIDE)
    assert got[:, ::2, ::2] == pytest.approx(joined, rel=1e-4, abs=1e-2)


def test_an_unknown_operator_is_named():
    nodes = [{"name": "out", "op": "FooBar", "input": ["in"], "attr": {}}]
    with pytest.raises(UnsupportedModel, match="FooBar of out"):
        convert(*model(nodes, {}), outputs=["out"])


def test_weights_of_the_wrong_length_are_refused():
    graph, data = model([], {"w": half(2)})
    with pytest.raises(UnsupportedModel, match="5 bytes"):
        convert(graph, data + b"x", outputs=["in"])
