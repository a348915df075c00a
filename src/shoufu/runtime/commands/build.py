"""Build the front end and the translations where their sources changed."""

import click


@click.command()
@click.option("--check", is_flag=True, help="Also check the front end's types.")
def command(check: bool) -> None:
    """Build what a checkout does not hold; does nothing where it is up to date."""
    from shoufu.runtime.build import fhir, frontend, kernels, schema

    if not frontend.current():
        click.echo("Building the front end …", err=True)
        frontend.build()
    from shoufu.web import translations

    for path in translations.compile_stale():
        click.echo(f"Compiled {path.name} of {path.parent.parent.name}", err=True)
    if not fhir.current():
        click.echo("Compiling the definitions of FHIR …", err=True)
        _compile_fhir()
    if not kernels.current():
        click.echo("Compiling the dispatch engine …", err=True)
        _compile_kernels()
    if not schema.current():
        click.echo("Making the tables beforehand …", err=True)
        _make_schema()
    if check:
        frontend.check()


def _compile_fhir() -> None:
    from shoufu.runtime.build import fhir
    from shoufu.runtime.errors import Problem

    try:
        fhir.build()
    except Problem as problem:
        # Everything else works without them; what needs them says so.
        click.echo(f"shoufu: {problem}", err=True)


def _compile_kernels() -> None:
    from shoufu.runtime.build import kernels
    from shoufu.runtime.errors import Problem

    try:
        kernels.build()
    except Problem as problem:
        # Only time is lost: the first plan compiles them.
        click.echo(f"shoufu: {problem}", err=True)


def _make_schema() -> None:
    from shoufu.runtime.build import schema
    from shoufu.runtime.errors import Problem

    try:
        schema.make()
    except Problem as problem:
        # Only time is lost: the first start makes them.
        click.echo(f"shoufu: {problem}", err=True)
