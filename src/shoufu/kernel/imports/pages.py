from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer, csv_response
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.imports import blank, selectors, services
from shoufu.kernel.imports.kinds import MANAGE, kinds
from shoufu.kernel.imports.models import Import
from shoufu.kernel.imports.reading import label, where

SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _kind_label(row: Import) -> str:
    kind = kinds().get(row.kind)
    return label(kind) if kind else row.kind


def list_page(request: PageRequest) -> ListPage:
    choices = [(kind.code, label(kind)) for kind in selectors.offered(request.actor, None)]
    return ListPage(
        title=_("Imports"),
        name="imports",
        row="imports/row.html",
        template="imports/list.html",
        empty=_("Files that you send appear here, with what became of them. Choose a register above to begin."),
        columns=(
            Column("file", _("File"), "file_name", lambda i: i.file_name),
            Column("kind", _("Register"), "kind", _kind_label),
            Column("place", _("Where"), "place__path", lambda i: i.place.label),
            Column("state", _("State"), "state", lambda i: i.get_state_display()),
            Column("rows", _("Rows"), "rows", lambda i: i.rows),
            Column("created", _("New"), "created", lambda i: i.created),
            Column("changed", _("Changed"), "changed", lambda i: i.changed),
            Column("who", _("Who"), "author_label", lambda i: i.author_label),
            Column("at", _("When"), "uploaded_at", lambda i: i.uploaded_at),
        ),
        filters=(
            Filter("kind", _("Register"), lambda rows, value: rows.filter(kind=value), choices),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Import.State.choices),
        ),
    )


@needs(MANAGE)
def listing(request: PageRequest) -> HttpResponseBase:
    """Imports of the scope, and the registers that a file can fill."""
    rows = selectors.visible(request.actor).filter(place__path__startswith=request.scope.path)
    offered = [(kind, label(kind)) for kind in selectors.offered(request.actor, request.scope.place)]
    names = {kind.code: label(kind) for kind in kinds().values()}
    return answer(request, list_page(request), rows, offered=offered, names=names)


@needs(MANAGE)
def new(request: PageRequest, kind_code: str) -> HttpResponseBase:
    """Choose the place and the file; then comes the preview."""
    kind = kinds().get(kind_code)
    if kind is None:
        raise NotFound(_("There is no such register."))
    form = FormState(values=request.POST.dict())
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise Invalid.one("file", _("Choose a file."))
            place = request.POST.get("place", "")
            if not place.isdigit():
                raise Invalid.one("place", _("Choose the compound (or what lies above it) that the file is about."))
            draft, _preview = services.upload(request.actor, kind.code, int(place), file.name or "", file.read())
            return redirect("imports:detail", draft.pk)
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    places = [place for place in selectors.targets(request.actor, request.scope.path) if place.kind in kind.places]
    chosen = form.values.get("place") or str(request.scope.id or "")
    context = {
        "kind": kind,
        "name": label(kind),
        "note": kind.note_en if request.actor.language.startswith("en") else kind.note,
        "fields": [(item, label(item)) for item in kind.fields],
        "places": places,
        "chosen": chosen,
        "form": form,
    }
    return render(request, "imports/new.html", context, status=422 if form.errors else 200)


@needs(MANAGE)
def detail(request: PageRequest, import_id: int) -> HttpResponseBase:
    """A file before it is imported (what it would do, every error), or what became of it."""
    row = selectors.get(request.actor, import_id)
    kind = kinds()[row.kind]
    context = {"import": row, "kind": kind, "name": label(kind)}
    if row.state != Import.State.DRAFT:
        done = row.state == Import.State.APPLIED
        obstacles = services.obstacles(request.actor, import_id) if done else []
        return render(request, "imports/done.html", {**context, "obstacles": obstacles})
    preview = services.preview(request.actor, import_id)
    if request.GET.get("format") == "csv":
        return _errors(preview)
    reading = preview.reading
    errors = [
        (where(reading, error), _field(preview, error.field), error.message) for error in preview.plan.errors[:SHOWN]
    ]
    columns = {column.index: column for column in reading.columns}
    context |= {
        "preview": preview,
        "errors": errors,
        "changes": preview.plan.changes[:SHOWN],
        "more": max(0, len(preview.plan.changes) - SHOWN),
        "more_errors": max(0, len(preview.plan.errors) - SHOWN),
        "mapped": [(item, label(item), reading.mapping.get(item.code)) for item in kind.fields],
        "columns": columns.values(),
    }
    return render(request, "imports/preview.html", context)


def _field(preview: selectors.Preview, code: str) -> str:
    return label(preview.kind.field(code)) if code else ""


def _errors(preview: selectors.Preview) -> HttpResponseBase:
    lines = (
        {
            _("Row"): error.row,
            _("Cell"): where(preview.reading, error),
            _("Column"): _field(preview, error.field),
            _("What is wrong"): error.message,
        }
        for error in preview.plan.errors
    )
    return csv_response(lines, "errors")


@require_POST
@needs(MANAGE)
def columns(request: PageRequest, import_id: int) -> HttpResponseBase:
    """Say which column is which field."""
    row = selectors.get(request.actor, import_id)
    wanted = {
        item.code: int(value)
        for item in kinds()[row.kind].fields
        if (value := request.POST.get(item.code, "")).isdigit()
    }
    try:
        services.remap(request.actor, import_id, wanted)
    except Invalid as refusal:
        messages.error(request, " ".join(str(error.message) for error in refusal.errors))
    return redirect("imports:detail", import_id)


@require_POST
@needs(MANAGE)
def apply(request: PageRequest, import_id: int) -> HttpResponseBase:
    """Write it all, or nothing."""
    try:
        services.apply(request.actor, import_id)
    except Invalid as refusal:
        messages.error(request, refusal.detail or str(refusal))
    return redirect("imports:detail", import_id)


@require_POST
@needs(MANAGE)
def drop(request: PageRequest, import_id: int) -> HttpResponseBase:
    """Forget the file."""
    services.drop(request.actor, import_id)
    return redirect("imports:list")


@require_POST
@needs(MANAGE)
def undo(request: PageRequest, import_id: int) -> HttpResponseBase:
    """Take the whole import back."""
    try:
        services.undo(request.actor, import_id, request.POST.get("reason", ""))
        messages.success(request, _("Undone: the register is as it was before."))
    except Invalid as refusal:
        messages.error(request, " ".join(str(error.message) for error in refusal.errors))
    except Conflict as refusal:
        messages.error(request, str(refusal.detail))
    return redirect("imports:detail", import_id)


@needs(MANAGE)
def template(request: PageRequest, kind_code: str) -> HttpResponse:
    """An empty workbook with the columns of a register."""
    kind = kinds().get(kind_code)
    if kind is None:
        raise NotFound(_("There is no such register."))
    headers = {"Content-Disposition": f'attachment; filename="{kind.code}.xlsx"'}
    return HttpResponse(blank.workbook(kind), content_type=XLSX, headers=headers)
