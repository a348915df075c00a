"""Run one of Django's own commands (makemigrations, shell…)."""

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> None:
    """Pass WORDS to Django's management, in this product's settings."""
    from shoufu.runtime import django

    django.setup()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["shoufu manage", *words])
