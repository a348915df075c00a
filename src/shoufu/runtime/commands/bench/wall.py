"""Measure a wall of live cameras."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from shoufu.runtime.bench.stage import Stage, stage, start, stop


@click.command()
@click.option("--cameras", type=click.IntRange(1, 36), default=36, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=3), default=20.0, show_default=True)
@click.option("--video", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Default: a made scene.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one line of JSON.")
def command(cameras: int, seconds: float, video: Path | None, as_json: bool) -> None:
    """What it costs to write a live picture a second of so many cameras and to show them on one screen.

    Runs on a throw-away data directory; pictures come from a video or a made scene, decoding is not counted.
    """
    with stage() as place:
        figures = _run(place, cameras, seconds, video)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    for name, value in msgspec.structs.asdict(figures).items():
        click.echo(f"{name:20} {value}")


def _run(place: Stage, count: int, seconds: float, video: Path | None) -> msgspec.Struct:
    import httpx
    import psutil
    from django.conf import settings

    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices.services import DeviceDraft, register_many
    from shoufu.kernel.places.models import Place
    from shoufu.runtime.bench import wall
    from shoufu.runtime.bench.stage import senders
    from shoufu.runtime.commands.bench import pages as filled

    senders(1, 1)
    compound = Place.objects.get(code="bench-0")
    drafts = [DeviceDraft(f"cam-{n}", "camera", f"相机 {n}", compound.pk) for n in range(count)]
    made = register_many(SYSTEM, drafts)
    cookies = {settings.SESSION_COOKIE_NAME: _session(compound)}
    stock = wall.frames(video)
    web = start("web", log=place.root / "logs" / "web.log")
    base = f"http://127.0.0.1:{place.port}"
    try:
        with httpx.Client(base_url=base, timeout=60) as client:
            filled.wait(client)
        edge = next(one for one in psutil.Process().children() if "edge" in one.cmdline())
        found = [(one.device.code, one.device.pk) for one in made]
        servers = (edge, psutil.Process(web.pid))
        return wall.measure(base, cookies, found, Path(settings.MEDIA_ROOT), stock, servers, seconds)
    finally:
        stop(web)


def _session(compound: object) -> str:
    """Somebody who may see pictures there, signed in; the key of the session."""
    from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.places.models import Place
    from shoufu.runtime.commands.bench import pages as filled

    assert isinstance(compound, Place)
    user = create_users(SYSTEM, [UserDraft("operator", "值班员")])[0]
    give_roles(SYSTEM, [RoleDraft(user.pk, "operator", compound.pk)])
    return filled.session("operator")
