"""What the outcomes of cases say about the numbers of rules."""

import json

import click


@click.command()
@click.option("--rule", help="Code of one rule; default: every rule in force.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
def command(rule: str | None, as_json: bool) -> None:
    """Count the outcomes of the last six weeks anew and show which numbers they propose. Changes no rule."""
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base import errors
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.rules import selectors
    from shoufu.kernel.rules.learning import report
    from shoufu.kernel.rules.learning import selectors as learning
    from shoufu.kernel.rules.learning.study import learn

    try:
        chosen = [selectors.by_code(SYSTEM, rule)] if rule else list(selectors.listed(SYSTEM, state="live"))
    except errors.Problem as problem:
        raise Problem(str(problem)) from problem
    for one in chosen:
        learn(one)
    ids = {one.pk for one in chosen}
    found = report.listed([one for one in learning.proposals(SYSTEM) if one.rule.pk in ids])
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=lambda moment: moment.isoformat()))
        return
    for studied in found:
        counts = f"{studied['false_alarms']} false alarms, {studied['true']} real, {studied['open']} not judged"
        click.echo(f"{studied['code']} (version {studied['version']}): {counts}")
        for offer in studied["offers"]:
            click.echo(f"  {'→' if offer['best'] else ' '} {offer['words']}")
