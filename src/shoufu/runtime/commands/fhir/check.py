"""Check files that hold FHIR R4 resources in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from shoufu.engines import fhir
from shoufu.engines.fhir import answers
from shoufu.engines.fhir.checking import Known
from shoufu.runtime.errors import Problem

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True, help='One line a file: {"file", "valid", "issues"}.')
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Judge each FILE by FHIR R4 (4.0.1), as the REST interface does; exit code 1 where one is not valid.

    Answers (QuestionnaireResponse) are judged by the questionnaires among the files, too."""
    valid = True
    questionnaires = _questionnaires(files)
    for file in files:
        report = _checked(file, lambda canonical: answers.named(questionnaires, canonical))
        valid = valid and report.valid
        if as_json:
            row = {"file": str(file), "valid": report.valid, "issues": [issue.to_json() for issue in report.issues]}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{file}: {'valid' if report.valid else 'not valid'}")
            for issue in report.issues:
                click.echo(f"  {issue.severity} {issue.expression or 'the file'}: {issue.message}")
    ctx.exit(0 if valid else 1)


def _questionnaires(files: tuple[Path, ...]) -> list[dict[str, Any]]:
    """The valid questionnaires among the files: answers to them in the others are judged by them."""
    if len(files) < 2:
        return []
    found = []
    for file in files:
        data = file.read_bytes()
        report = fhir.check(data) if b'"Questionnaire"' in data else None
        if report is not None and report.resource is not None and report.resource.type == "Questionnaire":
            found.append(report.resource.content)
    return found


def _checked(file: Path, known: Known) -> fhir.Report:
    try:
        return fhir.check(file.read_bytes(), known)
    except (fhir.DefinitionsMissing, OSError) as error:
        raise Problem(f"{file}: {error}") from error
