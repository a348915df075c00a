"""Say what is wrong and what to do about it; memory of every process."""

import json
import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(as_json: bool) -> None:
    """Examine settings, data directory, ports, models, processes and memory. Exit code 1 when something is an error.

    Memory is proportional (PSS): a page that n processes share counts 1/n in each, so the total is what the machine
    really gives.
    """
    from shoufu.runtime import doctor

    report = doctor.examine()
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _show(report)
    sys.exit(0 if report.healthy else 1)


def _show(report: object) -> None:
    from shoufu.runtime.doctor import Report

    assert isinstance(report, Report)
    for finding in report.findings:
        click.echo(f"{finding.level}: {finding.text}")
    if not report.findings:
        click.echo("Nothing is wrong.")
    for row in report.memory:
        click.echo(f"{row.name:<14} {row.state:<10} {row.bytes / 2**20:7.0f} MB")
    if report.memory:
        click.echo(f"{'total':<25} {report.memory_total / 2**20:7.0f} MB")
