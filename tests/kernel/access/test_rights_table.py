"""Role × endpoint × foreign place: every endpoint of the URL map has a row, and every role of home is refused abroad.

A new API operation fails `test_every_endpoint_has_a_row` until it is declared in one of `rights/rows_*`; a page whose
address has an argument that the sides (`rights/sides*`) do not know fails until it is there. Everybody here has a role
in the compound "home"; everything in the compound "foreign" has FOREIGN in its name.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.places import services as places
from shoufu.kernel.places.services import PlaceDraft
from tests.kernel.access.rights import ROWS
from tests.kernel.access.rights.shape import FOREIGN, REFUSED, Row, Side
from tests.kernel.access.rights.sides import side

pytestmark = pytest.mark.django_db


def routers(held: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every router with its whole prefix, those inside others too.

    Once its addresses are built, Ninja lists the inner ones beside the outer ones too, without the first slash.
    """
    for prefix, router, *_options in held:
        whole = f"{before}/{prefix.strip('/')}"
        yield whole, router
        yield from routers(router._routers, whole)


def operations() -> list[str]:
    """Every API operation of the URL map, as "METHOD /path/with/{arguments}"."""
    from shoufu.web.api import api

    found = {
        f"{method} /api{prefix}{path}".replace("uuidstr:", "uuid:")
        for prefix, router in routers(api._routers)
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    return sorted(found)


@dataclass
class District:
    home: Side
    foreign: Side

    def client(self, role: str) -> Client:
        """Somebody who has the role at home, signed in; who gives or gets care there, where that is the role."""
        client = Client()
        if role in self.home.users:
            client.force_login(self.home.users[role])
            return client
        user = User.objects.create(username=f"role-{role}", display_name=role)
        since = timezone.now() - timedelta(days=1)
        RoleAssignment.objects.create(user=user, role=role, place_id=self.home["place_id"], since=since)
        client.force_login(user)
        return client


@pytest.fixture(scope="module")
def district(django_db_setup: None, django_db_blocker: Any) -> Iterator[District]:
    """Built once in a transaction around all tests here, each of which undoes what it did: building takes long."""
    with django_db_blocker.unblock(), transaction.atomic():
        places.create(SYSTEM, PlaceDraft("district", "rights", "权区"))
        yield District(side("home-thing", "home", "rights"), side(FOREIGN, "foreign", "rights"))
        transaction.set_rollback(True)


def send(client: Client, key: str, row: Row, where: Side) -> Any:
    """The row's request about one side; whatever it changed is undone."""
    method, template, *steps = key.split(" ")
    if steps:
        template = template.replace("{step}", steps[0])
    path = template
    for part in [piece[1:-1] for piece in template.split("/") if piece.startswith("{")]:
        path = path.replace(f"{{{part}}}", str(where.value(part.rpartition(":")[2], template.removeprefix("/api/"))))
    body = row.body(where) if row.body else b""
    with transaction.atomic():
        written = AuditEntry.objects.count()
        response = client.generic(
            method,
            path,
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            content_type="application/json",
            query_params=row.query(where) if row.query else None,
        )
        response.acts = AuditEntry.objects.count() - written  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    if row.batch and response.status_code == 200 and '"applied"' not in content(response):
        response.status_code = 422
    return response


def as_mine(row: Row) -> Row:
    """The same as one's own affair: with `mine`, in the address and in the body."""

    def query(where: Side) -> Any:
        return (row.query(where) if row.query else {}) | {"mine": "true"}

    def body(where: Side) -> Any:
        plain = row.body(where) if row.body else None
        return plain | {"mine": True} if isinstance(plain, dict) else plain

    return replace(row, right="resident", query=query, body=body if row.body else None)


def content(response: Any) -> str:
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    return str(raw, errors="replace")


def test_every_endpoint_has_a_row() -> None:
    declared, there = {" ".join(key.split(" ")[:2]) for key in ROWS}, set(operations())
    assert not there - declared, f"declare in ROWS: {sorted(there - declared)}"
    assert not declared - there, f"no such endpoint: {sorted(declared - there)}"


def faults(key: str, row: Row, code: str, client: Client, district: District) -> Iterator[str]:
    """What is wrong with one role at one endpoint, at home and abroad."""
    holds = row.held(code, registry.roles()[code].permissions)
    at_home = send(client, key, row, district.home)
    shown, status = content(at_home), at_home.status_code
    if status >= 500 or FOREIGN in shown:
        yield f"at home {status}: {shown[:200]}"
    unpractised = row.by_practice and code == "administrator"
    excused = ((404, 409, 422) if row.loose else ()) + ((403, 409) if unpractised else ())
    if holds and not (status < 300 or status in excused):
        yield f"at home {status} in spite of the right: {shown[:200]}"
    if not holds and status not in REFUSED and not (row.lists and status == 200 and "home-thing" not in shown):
        yield f"at home {status} without the right"
    if row.own:
        return
    abroad = send(client, key, row, district.foreign)
    if FOREIGN in content(abroad):
        yield f"reads abroad: {content(abroad)[:200]}"
    if abroad.status_code not in REFUSED and not (row.lists and abroad.status_code == 200):
        yield f"abroad {abroad.status_code}: {content(abroad)[:200]}"
    if abroad.acts and not row.lists:
        yield "leaves an act abroad"


@pytest.mark.parametrize("role", sorted(registry.roles()))
def test_the_role_is_served_at_home_and_refused_abroad(role: str, district: District) -> None:
    client = district.client(role)
    tried = [*ROWS.items(), *((key, as_mine(row)) for key, row in ROWS.items() if row.mine)]
    problems = [f"{key}: {fault}" for key, row in tried for fault in faults(key, row, role, client, district)]
    assert not problems, "\n".join(problems)


def test_nobody_unknown_gets_in(district: District) -> None:
    for key, row in ROWS.items():
        response = send(Client(), key, row, district.home)
        assert (key, response.status_code, response["Content-Type"]) == (key, 401, "application/problem+json")


def pages(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every page of the URL map (API and allauth's own pages aside)."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern)
        if address.startswith(("api/", "accounts/")):
            continue
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield address


def address(template: str, where: Side) -> str:
    found = "/" + template
    for part in [piece.partition(">")[0] for piece in template.split("<")[1:]]:
        name = part.partition(":")[2] or part
        found = found.replace(f"<{part}>", str(where.value(name, template)))
    return found


def visit(client: Client, method: str, template: str, where: Side) -> str:
    """Open or post to a page about a side; what is wrong with the answer, or nothing. What it changed is undone."""
    acts = AuditEntry.objects.filter(place=where["place_id"])
    with transaction.atomic():
        written = acts.count()
        form = "application/x-www-form-urlencoded"
        response = client.generic(method, address(template, where), b"reason=x&version=1", form)
        done = acts.count() - written
        transaction.set_rollback(True)
    concrete = "<int:" in template or "<uuid:" in template
    opened = concrete and response.status_code not in REFUSED | {302}
    if FOREIGN in content(response) or done or opened or response.status_code >= 500:
        return f"{method} /{template}: {response.status_code}"
    return ""


@pytest.mark.parametrize("role", sorted(registry.roles()))
def test_no_page_shows_or_does_anything_abroad(role: str, district: District) -> None:
    client = district.client(role)
    answers = [visit(client, method, page, district.foreign) for page in pages() for method in ("GET", "POST")]
    assert not [answer for answer in answers if answer]
