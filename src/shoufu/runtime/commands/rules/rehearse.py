"""Try a rule on recorded history and compare it with what the live one raised."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

SPAN = re.compile(r"^(\d+)([smhd])$")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time, or a span before now such as 10m, 6h, 30d."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value)
        span = SPAN.match(text)
        if span:
            return datetime.now(UTC) - timedelta(**{UNITS[span[2]]: int(span[1])})
        if text == "now":
            return datetime.now(UTC)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time; write 2026-11-23T18:42:07+08:00, or 10m, 6h, 30d for a span before now")
        return moment if moment.tzinfo else moment.astimezone()


@click.command()
@click.argument("rule")
@click.option("--draft", type=int, help="Number of a version of the rule; default: its newest.")
@click.option("--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A rule document (JSON).")
@click.option("--since", type=Moment(), default="7d", show_default=True, help="Start: a time, or a span before now.")
@click.option("--until", type=Moment(), default="now", show_default=True, help="End, not included.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as one line of JSON.")
def command(rule: str, draft: int | None, spec: Path | None, since: datetime, until: datetime, as_json: bool) -> None:
    """Rehearse RULE (its code) over recorded history; live state is not touched."""
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base import errors
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.rules import selectors, services
    from shoufu.kernel.rules.rehearsal.report import Request, report
    from shoufu.kernel.rules.spec import parse

    if draft is not None and spec is not None:
        raise click.UsageError("Give --draft or --spec, not both.")
    if not since < until:
        raise click.UsageError("--since must lie before --until.")
    try:
        found = selectors.by_code(SYSTEM, rule)
        if spec is not None:
            document = json.loads(spec.read_text(encoding="utf-8"))
            faults = services.check_document(SYSTEM, document, found.place)
            if faults:
                raise errors.Invalid(*faults)
            request = Request(found, parse(document), since, until)
        else:
            versions = {one.number: one for one in found.versions.all()}
            number = draft if draft is not None else max(versions)
            if number not in versions:
                raise click.UsageError(f"{rule} has no version {number}; it has {sorted(versions)}.")
            request = Request(found, parse(versions[number].spec), since, until, number)
        result = report(request)
    except errors.Problem as problem:
        raise Problem(str(problem)) from problem
    except json.JSONDecodeError as error:
        raise Problem(f"{spec} is not JSON: {error}. Save the rule document as JSON.") from error
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    _print(result)


def _print(result: dict) -> None:  # type: ignore[type-arg]
    draft, live = result["draft_figures"], result["live_figures"]
    click.echo(f"{result['rows']} observations in {result['seconds']} s ({result['engine']})")
    calmed = draft["suppressed"]
    click.echo(f"would have raised {draft['raised']} ({draft['per_day']} a day, {calmed} more in the cool-down)")
    if live:
        click.echo(f"the live version ({result['baseline']}) raised {live['raised']} ({live['per_day']} a day)")
        click.echo(f"only live {result['only_live']}, only draft {result['only_draft']}, both {result['both']}")
        click.echo(f"known false alarms {live['false_alarms']} → {draft['false_alarms']}, true ones missed "
                   f"{result['missed_true']}")  # fmt: skip
    for one in result["differences"][:20]:
        sides = f"{'live' if one['live'] else '-':4} {'draft' if one['draft'] else '-':5}"
        click.echo(f"  {one['t']} {one['key']} {sides} {json.dumps(one['why'], ensure_ascii=False)}")
