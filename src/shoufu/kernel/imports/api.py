from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ninja import Field, File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile

from shoufu.kernel.access import policy
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.imports import selectors, services
from shoufu.kernel.imports.kinds import MANAGE, ImportKind
from shoufu.kernel.imports.models import Import
from shoufu.kernel.imports.reading import label, where
from shoufu.kernel.imports.selectors import Preview

router = Router()
MOST_ERRORS = 1000
MOST_ROWS = 200


class FieldOut(Schema):
    code: str
    name: str = Field(description="The heading by which a column is recognised, in the reader's language")
    required: bool
    example: str


class KindOut(Schema):
    code: str
    name: str
    places: list[str] = Field(description="Kinds of place that one can import into")
    fields: list[FieldOut]


class ImportOut(Schema):
    id: int
    kind: str
    place: int = Field(alias="place_id")
    file: str = Field(alias="file_name")
    size: int
    state: str = Field(description="draft, applied, undone or dropped")
    rows: int
    created: int
    changed: int
    same: int
    author: str = Field(alias="author_label")
    uploaded_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None


class ErrorOut(Schema):
    row: int
    cell: str = Field(description="As a spreadsheet names it, such as F17; the row where it is about the whole row")
    field: str
    message: str


class ColumnOut(Schema):
    index: int
    letter: str
    heading: str
    sample: str


class ChangeOut(Schema):
    row: int
    action: str = Field(description="create, change or same")
    label: str
    fields: Sequence[str]


class PreviewOut(Schema):
    """What a file would do; nothing is written yet."""

    id: int
    rows: int
    created: int
    changed: int
    same: int
    wrong_rows: int
    applicable: bool
    columns: list[ColumnOut]
    mapping: dict[str, int] = Field(description="Field → column from 0")
    errors: list[ErrorOut] = Field(description=f"At most {MOST_ERRORS}")
    changes: list[ChangeOut] = Field(description=f"The first {MOST_ROWS}")


class UploadIn(Schema):
    kind: str
    place: int


class MappingIn(Schema):
    mapping: dict[str, int] = Field(description="Field → column from 0; a field that is left out is not read")


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class ImportQuery(ListQuery):
    kind: str = ""
    state: str = ""


@router.get("/kinds", response=list[KindOut])
def list_kinds(request: PageRequest) -> Any:
    """The registers that one may fill, and the columns that each knows."""
    policy.require_anywhere(request.actor, MANAGE)
    return [_kind(kind) for kind in selectors.offered(request.actor, None)]


def _kind(kind: ImportKind) -> KindOut:
    fields = [
        FieldOut(code=item.code, name=label(item), required=item.required, example=item.example) for item in kind.fields
    ]
    return KindOut(code=kind.code, name=label(kind), places=list(kind.places), fields=fields)


@router.get("", response=Page[ImportOut])
def list_imports(request: PageRequest, query: Query[ImportQuery]) -> Any:
    """Imports into one's places, newest first."""
    rows = selectors.visible(request.actor)
    rows = rows.filter(kind=query.kind) if query.kind else rows
    rows = rows.filter(state=query.state) if query.state else rows
    return answer(rows, query, {"created": "uploaded_at", "rows": "rows"}, ImportOut.from_orm, "imports")


@router.post("", response={201: PreviewOut})
def upload(request: PageRequest, body: Form[UploadIn], file: File[UploadedFile]) -> Status[PreviewOut]:
    """Send an Excel or CSV file (multipart: kind, place, file) and read what it would do, with every error by cell."""
    draft, preview = services.upload(request.actor, body.kind, body.place, file.name or "", file.read())
    return Status(201, _preview(draft.pk, preview))


@router.get("/{int:import_id}", response=ImportOut)
def get_import(request: PageRequest, import_id: int) -> Import:
    """One import: what became of it."""
    return selectors.get(request.actor, import_id)


@router.get("/{int:import_id}/preview", response=PreviewOut)
def preview(request: PageRequest, import_id: int) -> PreviewOut:
    """What a file that waits would do to the register as it is now."""
    return _preview(import_id, services.preview(request.actor, import_id))


def _preview(import_id: int, found: Preview) -> PreviewOut:
    reading, plan = found.reading, found.plan
    return PreviewOut(
        id=import_id,
        rows=found.rows,
        created=found.created,
        changed=found.changed,
        same=found.same,
        wrong_rows=found.wrong_rows,
        applicable=found.applicable,
        columns=[
            ColumnOut(index=one.index, letter=one.letter, heading=one.heading, sample=one.sample)
            for one in reading.columns
        ],
        mapping=dict(reading.mapping),
        errors=[
            ErrorOut(row=one.row, cell=where(reading, one), field=one.field, message=one.message)
            for one in plan.errors[:MOST_ERRORS]
        ],
        changes=[
            ChangeOut(row=one.row, action=one.action, label=one.label, fields=one.fields)
            for one in plan.changes[:MOST_ROWS]
        ],
    )


@router.put("/{int:import_id}/columns", response=PreviewOut)
def columns(request: PageRequest, import_id: int, body: MappingIn) -> PreviewOut:
    """Say which column is which field, and read again what the file would do."""
    services.remap(request.actor, import_id, body.mapping)
    return _preview(import_id, services.preview(request.actor, import_id))


@router.post("/{int:import_id}/apply", response=ImportOut)
def apply(request: PageRequest, import_id: int) -> Import:
    """Write every row, or none; a refusal names the cells."""
    return services.apply(request.actor, import_id)


@router.post("/{int:import_id}/drop", response=ImportOut)
def drop(request: PageRequest, import_id: int) -> Import:
    """Forget a file that was not imported."""
    return services.drop(request.actor, import_id)


@router.post("/{int:import_id}/undo", response=ImportOut)
def undo(request: PageRequest, import_id: int, body: ReasonIn) -> Import:
    """Take a whole import back; a refusal says what stands in the way."""
    return services.undo(request.actor, import_id, body.reason)
