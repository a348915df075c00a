"""Prove the audit log whole, or name every row that was tampered with."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shoufu.kernel.audit.verify import Report


@click.command()
@click.option("--roots", type=click.Path(exists=True, path_type=Path), help="Signed roots kept on another machine.")
@click.option("--keys", type=click.Path(exists=True, path_type=Path), help="Folder of public keys kept elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(roots: Path | None, keys: Path | None, as_json: bool) -> None:
    """Prove the audit log whole; exit code 1 when anything was changed, removed, inserted, reordered or cut off."""
    from shoufu.runtime import django

    django.setup()
    from shoufu.kernel.audit import signing
    from shoufu.kernel.audit.verify import verify

    begun = time.perf_counter()
    report = verify(roots, signing.public_keys(keys) if keys else None)
    seconds = time.perf_counter() - begun
    if as_json:
        click.echo(json.dumps({"whole": report.whole, "seconds": round(seconds, 3)} | asdict(report)))
    else:
        click.echo(_words(report, seconds))
    if not report.whole:
        raise SystemExit(1)


def _words(report: Report, seconds: float) -> str:
    lines = [finding.text for finding in report.findings]
    state = "whole" if report.whole else f"NOT whole, {len(report.findings)} findings"
    counts = f"{report.entries} entries and {report.roots} signed roots in {seconds:.1f} s"
    lines.append(f"The audit log is {state}: {counts}; {report.pending} entries wait to be chained.")
    return "\n".join(lines)
