"""Say what runs."""

import time

import click

from shoufu.runtime import data
from shoufu.runtime.errors import Problem


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(as_json: bool) -> None:
    """List the processes of the data directory with state, restarts and memory."""
    import msgspec

    from shoufu.runtime.supervisor import status

    found = status.read(data.layout().run)
    if found is None:
        raise Problem(f"Nothing runs on the data directory {data.layout().root}: start it with 'shoufu up'.")
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    ready = f"ready after {found.seconds_to_ready:.1f} s" if found.seconds_to_ready is not None else "starting"
    click.echo(f"{found.address}  {ready}, supervisor {found.supervisor}")
    for row in found.processes:
        since = time.time() - row.since
        click.echo(
            f"{row.name:<14} {row.state:<10} pid {row.pid or '-':<8} for {since:7.0f} s  {row.restarts} restarts  "
            f"{row.rss / 2**20:6.0f} MB  {row.last_error}"
        )
