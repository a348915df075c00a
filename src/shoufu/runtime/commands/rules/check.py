"""Check a rule document and read it as a sentence."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(["zh-hans", "en"]), default="zh-hans", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@click.pass_context
def command(context: click.Context, file: Path, language: str, as_json: bool) -> None:
    """Check the rule document in FILE (JSON) against all kinds; exit code 1 when it has faults."""
    from shoufu.runtime import django

    django.setup()
    from django.utils import translation

    from shoufu.kernel.base import errors, registry
    from shoufu.kernel.rules.spec import Names, check, parse, sentence

    kinds = registry.kinds()
    faults: list[errors.FieldError] = []
    text = ""
    with translation.override(language):
        try:
            spec = parse(file.read_bytes())
        except errors.Invalid as problem:
            faults = list(problem.errors)
        else:
            faults = list(check(spec, kinds, case_kinds=registry.case_kinds(), roles=registry.roles()))
            english = language == "en"
            names = Names(
                kinds={code: kind.name_en if english else kind.name for code, kind in kinds.items()},
                case_kinds={code: one.name_en if english else one.name for code, one in registry.case_kinds().items()},
                roles={code: role.name_en if english else role.name for code, role in registry.roles().items()},
            )
            text = str(sentence(spec, "en" if english else "zh-hans", names))
    if as_json:
        errors_shown = [{"field": one.field, "message": str(one.message)} for one in faults]
        click.echo(json.dumps({"ok": not faults, "errors": errors_shown, "sentence": text}, ensure_ascii=False))
    else:
        click.echo(text)
        for one in faults:
            click.echo(f"{one.field}: {one.message}", err=True)
    context.exit(1 if faults else 0)
