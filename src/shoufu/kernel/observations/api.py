from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import Field, Query, Router, Schema

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.observations import selectors
from shoufu.kernel.observations.models import Observation
from shoufu.kernel.observations.selectors import FeedFilter

router = Router()
MOST = 1_000


class ObservationOut(Schema):
    id: UUID
    kind: str
    phenomenonTime: datetime
    known: datetime
    device: str
    place: int
    featureOfInterest: str | None
    result: Any


class FeedQuery(Schema):
    path: str = Field("/", description="Path of a place: its subtree only")
    kind: str = ""
    device: str = ""
    before: datetime | None = Field(None, description="Go on from the last row's phenomenonTime")
    at: datetime | None = Field(None, description="Nothing that happened later")
    known: datetime | None = Field(None, description="Nothing that was learned later")
    limit: int = Field(100, ge=1, le=MOST)


class KindOut(Schema):
    code: str
    name: str
    name_en: str
    schema_: dict[str, Any] = Field(alias="schema", serialization_alias="schema")
    personal: bool
    purpose: str
    retention_days: int
    state: str


class HourOut(Schema):
    hour: datetime
    kind: str
    count: int


@router.get("", response=list[ObservationOut])
def feed(request: PageRequest, query: Query[FeedQuery]) -> Any:
    """Observations, newest first; with `at` and `known` as the log looked then."""
    chosen = FeedFilter(query.path, query.kind, query.device, query.before, query.at, query.known)
    return [_out(row) for row in selectors.feed(request.actor, chosen, timezone.now(), query.limit)]


@router.get("/kinds", response=list[KindOut], by_alias=True)
def kinds(request: PageRequest) -> Any:
    """Every kind with the JSON Schema of its result."""
    return selectors.kinds()


@router.get("/hourly", response=list[HourOut])
def hourly(request: PageRequest, since: datetime, until: datetime, path: str = "/") -> Any:
    """Counts by hour and kind in a subtree."""
    rows = selectors.hourly(request.actor, path, since, until)
    return [HourOut(hour=hour, kind=kind, count=count) for hour, kind, count in rows]


def _out(row: Observation) -> ObservationOut:
    return ObservationOut(
        id=row.id,
        kind=row.kind.code,
        phenomenonTime=row.t,
        known=row.known,
        device=row.device.code,
        place=row.place_id,
        featureOfInterest=row.foi,
        result=row.result,
    )
