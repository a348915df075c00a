"""Measure the console in a real browser."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from shoufu.runtime.bench.interface import browser as browsers
from shoufu.runtime.bench.kept import DATA_HELP
from shoufu.runtime.bench.stage import Stage, filled, start, stop

if TYPE_CHECKING:
    from shoufu.runtime.bench.interface.measure import Figures, PageFigures

PAGES = (
    "/desk/",
    "/overview/",
    "/cases/",
    "/observations/",
    "/devices/",
    "/doors/",
    "/places/",
    "/parties/people/",
    "/parties/vehicles/",
    "/rules/",
    "/rules/new",
    "/referrals/",
    "/notices/",
    "/audit/",
    "/access/",
    "/access/new",
    "/profile/",
    "/health/",
    "/wall/",
    "/community/visitors/",
    "/community/vehicles/",
    "/community/patrols/",
)
WITHOUT_BROWSER = 3


@click.command()
@click.option("--cases", type=click.IntRange(min=100), default=5_000, show_default=True, help="Cases to make.")
@click.option("--observations", type=click.IntRange(min=1_000), default=200_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Visits a page and theme.")
@click.option("--page", "pages", multiple=True, help="Only these pages (may be given several times).")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(
    cases: int, observations: int, rounds: int, pages: tuple[str, ...], data: Path | None, as_json: bool
) -> None:
    """First paint, an answered click, frames of the time bar, layout shift, contrast and keyboard, in Chromium.

    Runs on a throw-away data directory with the demo district, signed in as its administrator. Each page is opened in
    the light and in the dark theme, the first time with an empty cache; contrast is WCAG 2.2 AA. Exit code 1 when a
    text has too little contrast or a control is out of the keyboard's reach, 3 when there is no Chromium to measure
    with. A machine without a graphics card draws the map in software: its frames say little about others.
    """
    try:
        browsers.path()
    except browsers.Missing as missing:
        click.echo(f"SKIPPED, nothing was measured: {missing}", err=True)
        if as_json:
            click.echo(json.dumps({"skipped": str(missing)}))
        sys.exit(WITHOUT_BROWSER)
    from shoufu.runtime.commands.bench.pages import kept, load

    with filled(kept(data, cases, observations), lambda: load(cases, observations)) as place:
        figures = _run(place, rounds, pages or PAGES)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        for name, value in msgspec.structs.asdict(figures).items():
            click.echo(f"{name:22} {value}")
    sys.exit(1 if figures.contrast_failures or figures.keyboard_failures else 0)


def _run(place: Stage, rounds: int, pages: tuple[str, ...]) -> Figures:
    import httpx
    from django.conf import settings

    from shoufu.runtime.bench.interface import measure
    from shoufu.runtime.commands.bench.pages import session, wait

    base = f"http://127.0.0.1:{place.port}"
    visitor = measure.Visitor(base, settings.SESSION_COOKIE_NAME, session("administrator"))
    # Asked before the browser starts: beside Playwright's event loop Django refuses to query.
    paths = (*pages, *_details(pages))
    web = start("web", log=place.root / "logs" / "web.log")
    try:
        with httpx.Client(base_url=base, timeout=60) as client:
            wait(client)
        with browsers.chromium() as browser:
            return measure.measure(browser, visitor, paths, rounds, _tell)
    finally:
        stop(web)


def _details(pages: tuple[str, ...]) -> list[str]:
    """One case, device, place, rule, person and account, when all pages are measured."""
    if pages != PAGES:
        return []
    from shoufu.kernel.access.models import User
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.parties.models import Person
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.rules.models import Rule

    return [
        f"/cases/{Case.objects.latest('pk').pk}",
        f"/devices/{Device.objects.filter(kind='camera').earliest('pk').pk}",
        f"/devices/{Device.objects.filter(kind='camera').earliest('pk').pk}/zones",
        f"/places/{Place.objects.filter(kind='compound').earliest('pk').pk}",
        f"/rules/{Rule.objects.earliest('pk').pk}",
        f"/parties/people/{Person.objects.earliest('pk').pk}",
        f"/access/{User.objects.get(username='operator').pk}",
    ]


def _tell(page: PageFigures) -> None:
    print(msgspec.json.encode(page).decode(), file=sys.stderr, flush=True)
