"""Check an evidence bundle on any machine: needs the file only."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shoufu.engines.evidence import Report


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", default="", help="Fingerprint that the issuer told you: another key is then a fault.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(file: Path, key: str, as_json: bool) -> None:
    """Check every byte of the bundle FILE: hashes, order, signature, time stamp. Exit code 1 on any fault."""
    from shoufu.engines.evidence import verify

    report = verify(file, key)
    click.echo(json.dumps(_data(report)) if as_json else _words(report))
    if not report.ok:
        raise SystemExit(1)


def _data(report: Report) -> dict[str, Any]:
    manifest = report.manifest
    return {
        "ok": report.ok,
        "faults": [asdict(fault) for fault in report.faults],
        "files": report.files,
        "bytes": report.size,
        "key": report.key,
        "trusted": report.trusted,
        "stamped_at": report.stamp.at.isoformat() if report.stamp else None,
        "stamped_by": report.stamp.name if report.stamp else None,
        "export": manifest.export if manifest else None,
        "case": manifest.case.get("number") if manifest else None,
        "recipient": manifest.recipient if manifest else None,
        "gaps": len(manifest.gaps) if manifest else None,
    }


def _words(report: Report) -> str:
    lines = [f"{fault.path or 'the bundle'}: {fault.text}" for fault in report.faults]
    if report.manifest is not None:
        made = report.manifest
        lines.append(f"{made.export}, case {made.case.get('number')}, for {made.recipient}, by {made.exporter}")
        lines += [f"gap: {gap.device} {gap.begins} to {gap.ends} ({gap.reason})" for gap in made.gaps]
    if report.stamp is not None:
        lines.append(f"stamped {report.stamp.at.isoformat()} by {report.stamp.name} (a local authority)")
    if report.key:
        lines.append(f"signed by the key {report.key}")
    if report.ok and report.trusted is None:
        lines.append("Compare this key with the one that the issuer told you, or give it with --key.")
    state = "whole" if report.ok else f"NOT whole: {len(report.faults)} faults"
    return "\n".join([*lines, f"{report.files} files, {report.size} bytes: {state}."])
