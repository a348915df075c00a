from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.places import selectors, services
from shoufu.kernel.places.models import Place

router = Router()
SORTABLE = {"path": "path", "name": "name", "code": "code", "kind": "kind", "depth": "depth"}


class PlaceOut(Schema):
    id: int
    parent: int | None = Field(alias="parent_id")
    kind: str
    code: str
    name: str
    name_en: str
    path: str
    depth: int
    longitude: float | None
    latitude: float | None
    datum: str
    time_zone: str
    closed: bool

    @staticmethod
    def resolve_closed(place: Place) -> bool:
        return place.closed_at is not None


class PlaceDetail(PlaceOut):
    geometry: dict[str, Any] | None


class NodeOut(Schema):
    id: int
    kind: str
    code: str
    name: str
    name_en: str
    children: list["NodeOut"]


class PlaceIn(Schema):
    kind: str
    code: str = Field(max_length=64)
    name: str = Field(max_length=120)
    parent: str | None = Field(None, description="Code of an existing place or of another one in this call")
    name_en: str = Field("", max_length=120)
    sort: int = 0
    geometry: dict[str, Any] | None = Field(None, description="GeoJSON in `datum`")
    longitude: float | None = None
    latitude: float | None = None
    datum: str = Field("WGS-84", description="What the coordinates are in: WGS-84, GCJ-02 or BD-09; stored as WGS-84")
    time_zone: str = "Asia/Shanghai"

    def draft(self) -> services.PlaceDraft:
        return services.PlaceDraft(**self.model_dump())


class NamesIn(Schema):
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=120)


class ShapeIn(Schema):
    geometry: dict[str, Any] | None = None
    longitude: float | None = None
    latitude: float | None = None
    datum: str = "WGS-84"


class ParentIn(Schema):
    parent: int


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class ClosedOut(Schema):
    closed: int


class PlaceQuery(ListQuery):
    root: int | None = Field(None, description="Only this place and what is below it")
    kind: list[str] = []
    text: str = ""
    closed: bool = False


def _root(request: PageRequest, root: int | None) -> Place | None:
    return selectors.get(request.actor, root) if root is not None else None


@router.get("", response=Page[PlaceOut])
def list_places(request: PageRequest, query: Query[PlaceQuery]) -> Any:
    """The places that one may see, by path."""
    root = _root(request, query.root)
    rows = selectors.subtree(request.actor, root, kinds=query.kind, closed=query.closed)
    if query.text.strip():
        rows = rows.filter(selectors.matching(query.text))
    return answer(rows, query, SORTABLE, PlaceOut.from_orm, "places")


@router.post("", response={201: list[PlaceOut]})
def create_places(request: PageRequest, body: list[PlaceIn]) -> Status[list[Place]]:
    """Make places, all or none; parents may stand in the same call."""
    return Status(201, services.create_many(request.actor, [item.draft() for item in body]))


@router.get("/tree", response=list[NodeOut])
def tree(request: PageRequest, root: int | None = None) -> list[NodeOut]:
    """The visible places as trees."""
    return [_node(node) for node in selectors.tree(request.actor, _root(request, root))]


def _node(node: selectors.Node) -> NodeOut:
    place = node.place
    children = [_node(child) for child in node.children]
    return NodeOut(
        id=place.pk, kind=place.kind, code=place.code, name=place.name, name_en=place.name_en, children=children
    )


@router.get("/geojson")
def geojson(request: PageRequest, root: int | None = None, kind: Query[list[str]] = []) -> dict[str, Any]:  # noqa: B006
    """The visible places as a GeoJSON FeatureCollection (WGS-84)."""
    return selectors.geojson(request.actor, _root(request, root), kinds=kind)


@router.get("/search", response=list[PlaceOut])
def search(request: PageRequest, text: str, limit: int = 20) -> list[Place]:
    """Visible places by a part of their name or code."""
    return selectors.search(request.actor, text, limit=max(1, min(limit, 100)))


@router.get("/{int:place_id}", response=PlaceDetail)
def get_place(request: PageRequest, place_id: int) -> Place:
    """One place with its geometry."""
    return selectors.get(request.actor, place_id)


@router.get("/{int:place_id}/ancestors", response=list[PlaceOut])
def ancestors(request: PageRequest, place_id: int) -> list[Place]:
    """The places above one, topmost first."""
    return selectors.ancestors(request.actor, selectors.get(request.actor, place_id))


@router.post("/{int:place_id}/rename", response=PlaceOut)
def rename(request: PageRequest, place_id: int, body: NamesIn) -> Place:
    """Give a place other names."""
    return services.rename(request.actor, place_id, body.name, body.name_en)


@router.post("/{int:place_id}/shape", response=PlaceDetail)
def set_shape(request: PageRequest, place_id: int, body: ShapeIn) -> Place:
    """Give a place another outline or position."""
    return services.set_shape(request.actor, place_id, **body.model_dump())


@router.post("/{int:place_id}/move", response=PlaceOut)
def move(request: PageRequest, place_id: int, body: ParentIn) -> Place:
    """Hang a place with all below it into another parent."""
    return services.move(request.actor, place_id, body.parent)


@router.post("/{int:place_id}/close", response=ClosedOut)
def close(request: PageRequest, place_id: int, body: ReasonIn) -> ClosedOut:
    """Take a place and all below it out of use."""
    return ClosedOut(closed=services.close(request.actor, place_id, body.reason))


@router.post("/{int:place_id}/reopen", response=PlaceOut)
def reopen(request: PageRequest, place_id: int) -> Place:
    """Take a closed place into use again."""
    return services.reopen(request.actor, place_id)
