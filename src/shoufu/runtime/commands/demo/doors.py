"""Simulate door controllers."""

import click


@click.command()
@click.option(
    "--part", default="1/1", show_default=True, help="Which share of the demo's doors: 2/3 is the second third."
)
@click.option("--incidents", is_flag=True, help="Hold one door open and force another soon after the start.")
def command(part: str, incidents: bool) -> None:
    """Run the demo's door controllers as MQTT devices until stopped. They know their codes, secrets and rule sets."""
    from shoufu.runtime import django, logs
    from shoufu.runtime.demo import cabinet

    logs.setup()
    django.pass_gate()
    cabinet.run(part, incidents)
