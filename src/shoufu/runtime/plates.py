"""The plate reader with the installed models."""

from __future__ import annotations

from shoufu.engines.plates import PlateDetector, PlateReader, Recogniser

from . import models

GENERAL_READER_SIZE = (48, 168)
CLP_READER_SIZE = (32, 144)


def open_reader(threads: int = 1) -> PlateReader:
    """Loads the networks (about half a second). Raises `models.ModelError` where one is not installed."""
    return PlateReader(
        PlateDetector(models.path("plate-detector"), threads=threads),
        [
            Recogniser(models.path("plate-reader"), GENERAL_READER_SIZE, threads=threads),
            Recogniser(models.path("plate-reader-clp"), CLP_READER_SIZE, threads=threads),
            Recogniser(models.path("plate-reader-road"), threads=threads),
        ],
    )
