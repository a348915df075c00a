"""A small Caffe network written byte by byte, converted and compared with the arithmetic done by hand."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from shoufu.runtime.models.caffe import CaffeError, convert_recogniser

DICE = np.random.default_rng(3)
WEIGHTS = DICE.normal(size=(3, 3, 1, 2)).astype(np.float16).astype(np.float32)
BIAS = np.array([0.1, -0.2, 0.3], np.float32)
MEAN, VARIANCE, FACTOR = np.array([0.5, 1, -1], np.float32), np.array([1, 4, 2], np.float32), np.float32(2)


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def part(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(values: NDArray[np.float32], *, half: bool = False) -> bytes:
    shape = part(7, part(1, b"".join(varint(size) for size in values.shape)))
    if half:
        return part(7, shape + part(10, 2) + part(12, values.astype("<f2").tobytes()))
    return part(7, shape + part(5, values.astype("<f4").tobytes()))


def layer(name: str, kind: str, bottom: str, top: str, extra: bytes = b"") -> bytes:
    ends = (part(3, bottom) if bottom else b"") + part(4, top)
    return part(100, part(1, name) + part(2, kind) + ends + extra)


def network(last: str = "Softmax") -> bytes:
    kernel = part(106, part(1, 3) + part(11, 1) + part(12, 2))
    return (
        layer("input", "Input", "", "data")
        + layer("conv", "Convolution", "data", "conv", blob(WEIGHTS, half=True) + blob(BIAS) + kernel)
        + layer("norm", "BatchNorm", "conv", "conv", blob(MEAN) + blob(VARIANCE) + blob(np.array([FACTOR])))
        + layer("prob", last, "conv", "prob")
    )


def by_hand(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """N×3×height×width in -1…1 to N×time×classes, the blank first, one step skipped."""
    turned = (image * 0.5 + 0.5).transpose(0, 1, 3, 2)
    summed = np.einsum("ncwh,kch->nkw", turned, WEIGHTS[:, :, 0]) + BIAS[:, None]
    normal = (summed - (MEAN / FACTOR)[:, None]) / np.sqrt(VARIANCE / FACTOR + 1e-5)[:, None]
    shares = np.exp(normal) / np.exp(normal).sum(axis=1, keepdims=True)
    return shares.transpose(0, 2, 1)[:, 1:, [2, 0, 1]]


def test_a_network_gives_the_same_numbers() -> None:
    model = convert_recogniser(network(), "AB", height=2, width=5, skip=1)
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    image = DICE.uniform(-1, 1, (2, 3, 2, 5)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"image": image})[0], by_hand(image), atol=1e-5)
    metadata = {entry.key: entry.value for entry in onnx.load_from_string(model).metadata_props}
    assert metadata["character"] == "A\nB"


def test_the_same_network_is_converted_to_the_same_bytes() -> None:
    once, again = (convert_recogniser(network(), "AB", height=2, width=5, skip=1) for _ in range(2))
    assert once == again


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(CaffeError, match="'prob': the type 'PReLU'"):
        convert_recogniser(network("PReLU"), "AB", height=2, width=5, skip=1)


@pytest.mark.parametrize("length", [5, 60, 200])
def test_a_file_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(CaffeError, match="cut off"):
        convert_recogniser(network()[:length], "AB", height=2, width=5, skip=1)
