import base64
import hmac
import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shoufu.engines import cap


class Centre(ThreadingHTTPServer):
    """An alarm centre of another make: checks signatures by itself, reads CAP strictly, drops doubles by their id."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret = ""
        self.status = 200
        self.got: list[tuple[str, Any]] = []
        self.repeated = 0
        self.refused: list[str] = []
        self._seen: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        if self.status != 200:
            return self.status
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
        if not hmac.compare_digest(right, headers["webhook-signature"]):
            self.refused.append("signature")
            return 401
        if headers["webhook-id"] in self._seen:
            self.repeated += 1
            return 200
        self._seen.add(headers["webhook-id"])
        xml = headers["content-type"] == "application/cap+xml"
        self.got.append((headers["webhook-id"], cap.from_xml(body) if xml else json.loads(body)))
        return 200


class Handler(BaseHTTPRequestHandler):
    server: Centre

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.take({name.lower(): value for name, value in self.headers.items()}, body)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def _served() -> Iterator[Centre]:
    server = Centre()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def centre() -> Iterator[Centre]:
    yield from _served()


@pytest.fixture
def spare() -> Iterator[Centre]:
    yield from _served()


@pytest.fixture
def alarm(world: Any) -> Any:
    """The alarm centre of the district; Dan works for it."""
    from shoufu.kernel.access.models import RoleAssignment
    from shoufu.kernel.parties.models import Organisation

    made = Organisation.objects.create(
        code="alarm", kind="alarm_centre", name="皇姑区接警中心", name_en="Huanggu alarm centre", place=world.district
    )
    RoleAssignment.objects.filter(user=world.dan).update(organisation=made)
    return made


def _draft(world: Any, organisation: Any, **changes: Any) -> Any:
    from shoufu.kernel.referrals.services.destinations import DestinationDraft

    values: dict[str, Any] = {
        "code": "alarm",
        "organisation_id": organisation.pk,
        "place_id": world.district.pk,
        "name": "皇姑区接警中心",
        "name_en": "Huanggu alarm centre",
        "channel": "console",
        "restriction": "仅限接警中心值班人员",
        "policy": {"contact": "松山小区值班室 024-8600", "test_at": ""},
    }
    return DestinationDraft(**values | changes)


@pytest.fixture
def draft(world: Any, alarm: Any) -> Any:
    """A destination as somebody fills it in, with changes."""
    return lambda **changes: _draft(world, alarm, **changes)


@pytest.fixture
def console(world: Any, alarm: Any) -> Any:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.referrals import services

    return services.create_destination(SYSTEM, _draft(world, alarm)).row


@pytest.fixture
def hook(world: Any, alarm: Any, centre: Centre) -> Any:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.referrals import services

    made = services.create_destination(SYSTEM, _draft(world, alarm, code="hook", channel="webhook", url=centre.url))
    centre.secret = made.secret
    return made


@pytest.fixture
def case(stage: Any, world: Any) -> Any:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.cases.services import RaisedCase, raise_cases

    found = RaisedCase(stage.firing(world), kind="door.forced", severity="critical", notify=())
    return raise_cases(SYSTEM, [found])[0]
