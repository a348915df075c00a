"""Check files that hold FHIR R4 resources in JSON or XML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from shoufu.engines import fhir
from shoufu.engines.fhir import answers
from shoufu.engines.fhir.reading import MAX_BYTES
from shoufu.runtime.errors import Problem

DEFINING = (b"Questionnaire", b"CodeSystem", b"StructureDefinition")
FILE = click.Path(path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True, help='One line a file: {"file", "valid", "issues"}.')
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Judge each FILE by FHIR R4 (4.0.1), as the REST interface does; exit code 1 where one is not valid.

    A file that cannot be read is not valid. Questionnaires, code systems, profiles and definitions of extensions
    among the files count for the others."""
    valid = True
    known = _definitions(files)
    for file in files:
        report = _checked(file, known)
        valid = valid and report.valid
        # Bytes, for a file's name or a message may hold what the terminal's encoding does not.
        for line in _lines(file, report, as_json):
            click.echo(line.encode("utf-8", "replace"))
    ctx.exit(0 if valid else 1)


def _lines(file: Path, report: fhir.Report, as_json: bool) -> Iterator[str]:
    if as_json:
        row = {"file": str(file), "valid": report.valid, "issues": [issue.to_json() for issue in report.issues]}
        yield json.dumps(row, ensure_ascii=False)
        return
    yield f"{file}: {'valid' if report.valid else 'not valid'}"
    for issue in report.issues:
        yield f"  {issue.severity} {issue.expression or 'the file'}: {issue.message}"


def _definitions(files: tuple[Path, ...]) -> fhir.AtHand:
    """What the files define; a questionnaire must be valid, for answers are judged by all of it."""
    found: list[dict[str, Any]] = []
    for file in files if len(files) > 1 else ():
        data = _read(file)
        if isinstance(data, bytes) and any(name in data for name in DEFINING):
            report = _judged(data)
            if report.shaped and isinstance(report.content, dict):
                found.append(report.content)
    asked = [one for one in found if one["resourceType"] == "Questionnaire" and fhir.check_content(one).valid]
    return fhir.at_hand(found, lambda canonical: answers.named(asked, canonical))


def _checked(file: Path, known: fhir.AtHand) -> fhir.Report:
    data = _read(file)
    return _judged(data, known) if isinstance(data, bytes) else fhir.Report(None, (data,))


def _judged(data: bytes, known: fhir.AtHand | None = None) -> fhir.Report:
    try:
        return fhir.check_file(data, known)
    except fhir.DefinitionsMissing as error:
        raise Problem(str(error)) from error


def _read(file: Path) -> bytes | fhir.Issue:
    """The bytes, no more of them than are judged; an issue where they cannot be had."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return fhir.Issue("", f"cannot be read: {said}", "not-found", fhir.Severity.FATAL)
