import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.rules import forms, selectors, services
from shoufu.kernel.rules.learning import selectors as learning
from shoufu.kernel.rules.models import Rehearsal, Rule, RuleVersion
from shoufu.kernel.rules.report import Report, report_of
from shoufu.kernel.rules.spec import RuleSpec, Span, parse, sentence

MONTH = timedelta(days=30)
SPANS = (
    ("600", timedelta(minutes=10)),
    ("86400", timedelta(days=1)),
    ("604800", timedelta(days=7)),
    ("2592000", MONTH),
)


def _language() -> Any:
    return "en" if (get_language() or "").startswith("en") else "zh-hans"


@dataclass(frozen=True)
class Piece:
    """A piece of a rule's sentence: `field` names what it shows, `changed` marks a difference from the live rule."""

    text: str
    field: str
    changed: bool


def pieces(spec: RuleSpec, rule: Rule, live: RuleSpec | None) -> list[Piece]:
    """The sentence of a rule, with what differs from the live version marked."""
    written = sentence(spec, _language(), selectors.names(_language(), rule))
    changed = written.changed(live, spec) if live is not None else frozenset()
    return [Piece(span.text, span.field, span.field in changed) for span in written.spans]


def _narrow(state: str) -> Any:
    fields = {
        "live": {"live_number__isnull": False},
        "draft": {"draft_number__isnull": False},
        "off": {"live_number__isnull": True},
    }
    return fields[state]


def list_page() -> ListPage:
    states = [("live", _("Live")), ("draft", _("With a draft")), ("off", _("Off"))]
    return ListPage(
        title=_("Rules"),
        name="rules",
        row="rules/row.html",
        template="rules/list.html",
        default_sort="place",
        empty=_("Rules say when a case is raised. Make the first from a scene's template."),
        columns=(
            Column("name", _("Rule"), "name", lambda r: r.name),
            Column("place", _("Where"), "place__path", lambda r: r.place.label),
            Column("state", _("State"), "live_number", lambda r: r.live_number or ""),
            Column("fired", _("Fired in 30 days"), css="num"),
        ),
        filters=(
            Filter(
                "state",
                _("State"),
                lambda rows, value: rows.filter(**_narrow(value)) if value in dict(states) else rows,
                states,
            ),
            Filter(
                "text",
                _("Name or code"),
                lambda rows, value: rows.filter(name__icontains=value) | rows.filter(code__icontains=value),
            ),
        ),
    )


class _Counts:
    """How often the rules of the page fired, read once and only when the template asks."""

    def __init__(self, request: PageRequest) -> None:
        self._request = request
        self._found: dict[int, int] | None = None

    def get(self, rule_id: int) -> int:
        if self._found is None:
            ids = list(selectors.visible(self._request.actor).values_list("pk", flat=True)[:1000])
            self._found = selectors.firing_counts(self._request.actor, ids, timezone.now() - MONTH)
        return self._found.get(rule_id, 0)


@needs("rules.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Rules of the scope."""
    rows = selectors.listed(request.actor, place_path=request.scope.path)
    may = request.actor.may_anywhere("rules.manage")
    return answer(request, list_page(), rows, counts=_Counts(request), may_manage=may)


@needs("rules.manage")
def create(request: PageRequest) -> HttpResponseBase:
    """Make a rule from a scene's template."""
    from shoufu.kernel.places import selectors as places

    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        place = request.POST.get("place", "")
        draft = services.RuleDraft(
            place=int(place) if place.isdigit() else 0,
            name=request.POST.get("name", "").strip(),
            template=request.POST.get("template", ""),
        )
        try:
            return redirect("rules:detail", services.create_rule(request.actor, draft).pk)
        except Invalid as refusal:
            form.errors, status = {e.field.rpartition("/")[2]: str(e.message) for e in refusal.errors}, 422
    spots = places.visible(request.actor, permission="rules.manage").filter(
        kind__in=["district", "block", "compound", "building"]
    )
    english = _language() == "en"
    templates = [
        (
            code,
            item.name_en if english else item.name,
            str(sentence(parse(item.spec), _language(), selectors.names(_language()))),
        )
        for code, item in selectors.templates().items()
    ]
    return render(
        request,
        "rules/new.html",
        {"form": form, "places": spots.order_by("path")[:300], "templates": templates},
        status=status,
    )


@dataclass(frozen=True)
class Editor:
    """The left side of a rule's page: the document being edited, as sentence, sliders and expressions."""

    spec: RuleSpec | None
    document: Mapping[str, Any]
    pieces: list[Piece]
    numbers: list[forms.NumberField]
    texts: list[forms.TextField]
    errors: dict[str, str]
    live: RuleSpec | None
    changed: bool

    @property
    def shown(self) -> str:
        return json.dumps(self.document, ensure_ascii=False, indent=2)


def _editor(rule: Rule, document: Mapping[str, Any], errors: dict[str, str] | None = None) -> Editor:
    live_version = selectors.live_version(rule)
    live = parse(live_version.spec) if live_version else None
    try:
        spec = parse(document)
    except Invalid as refusal:
        found = {error.field: str(error.message) for error in refusal.errors} | (errors or {})
        return Editor(None, document, [], [], [], found, live, True)
    return Editor(
        spec,
        spec.document(),
        pieces(spec, rule, live),
        forms.numbers(spec),
        forms.texts(spec),
        errors or {},
        live,
        live is None or live.document() != spec.document(),
    )


def _context(request: PageRequest, rule: Rule, editor: Editor, form: FormState | None = None) -> dict[str, Any]:
    newest = selectors.newest_version(rule)
    english = _language() == "en"
    rehearsal = selectors.rehearsals(request.actor, rule.pk).first()
    studied = learning.of_rule(request.actor, rule.pk)
    return {
        "studied": studied,
        "offers": studied.open_offers if studied else (),
        "rule": rule,
        "live": selectors.live_version(rule),
        "newest": newest,
        "draft": newest if newest and newest.state == RuleVersion.State.DRAFT else None,
        "versions": sorted(rule.versions.all(), key=lambda version: -version.number),
        "editor": editor,
        "form": form or FormState(),
        "may_manage": request.actor.may("rules.manage", rule.place.path),
        "severities": RuleSeverity,
        "roles": [(code, role.name_en if english else role.name) for code, role in selectors.roles().items()],
        "days": [(day, _day(day)) for day in forms.DAYS],
        "spans": [(code, _span_words(delta)) for code, delta in SPANS],
        "span": _span_of(rehearsal),
        "rehearsal": rehearsal,
        "report": _report(request, rehearsal),
    }


def _day(day: int) -> str:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")][day - 1]


def _span_of(rehearsal: Rehearsal | None) -> str:
    """The span that was rehearsed last, so that the next try is on the same."""
    if rehearsal is None:
        return SPANS[-1][0]
    length = (rehearsal.until - rehearsal.since).total_seconds()
    return min(SPANS, key=lambda span: abs(span[1].total_seconds() - length))[0]


def _span_words(delta: timedelta) -> str:
    if delta < timedelta(days=1):
        return _("last 10 minutes")
    return _("last day") if delta.days == 1 else _("last %(n)d days") % {"n": delta.days}


class _Severities:
    def __iter__(self) -> Any:
        from shoufu.kernel.cases.models import Severity

        return iter(Severity.choices)


RuleSeverity = _Severities()


def _report(request: PageRequest, rehearsal: Rehearsal | None) -> Report | None:
    if rehearsal is None or rehearsal.state != Rehearsal.State.DONE:
        return None
    return report_of(request.actor, rehearsal)


@needs("rules.view")
def detail(request: PageRequest, rule_id: int) -> HttpResponse:
    """A rule: its sentence and expression to edit, and what the last rehearsal showed."""
    rule = selectors.get(request.actor, rule_id)
    newest = selectors.newest_version(rule)
    editor = _editor(rule, newest.spec if newest else {})
    return render(request, "rules/detail.html", _context(request, rule, editor))


def _typed(request: PageRequest, rule: Rule) -> tuple[dict[str, Any], dict[str, str]]:
    """The document from the form, and every fault in it by field."""
    newest = selectors.newest_version(rule)
    base = newest.spec if newest else {}
    shown = request.POST.get("document_shown", "")
    if shown:
        with suppress(ValueError):
            base = json.loads(shown)
    try:
        document = forms.document(base, request.POST)
        faults = services.check_document(request.actor, document, rule.place)
    except Invalid as refusal:
        return dict(base), {error.field: str(error.message) for error in refusal.errors}
    return document, {error.field: str(error.message) for error in faults}


@require_POST
@needs("rules.view")
def check(request: PageRequest, rule_id: int) -> HttpResponse:
    """The sentence and the faults of what is typed, nothing saved; for htmx while typing."""
    rule = selectors.get(request.actor, rule_id)
    document, errors = _typed(request, rule)
    return render(request, "rules/checked.html", _context(request, rule, _editor(rule, document, errors)))


@require_POST
@needs("rules.manage")
def save(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Save a draft; with `then=rehearse` it is tried at once on the chosen span of history."""
    rule = selectors.get(request.actor, rule_id)
    document, errors = _typed(request, rule)
    form = FormState(values=request.POST.dict())
    version: RuleVersion | None = None
    if not errors:
        based_on = request.POST.get("based_on", "")
        newest = selectors.newest_version(rule)
        try:
            if newest and parse(newest.spec).document() == parse(document).document():
                version = newest
            else:
                version = services.save_draft(
                    request.actor,
                    rule_id,
                    document,
                    note=request.POST.get("note", ""),
                    based_on=int(based_on) if based_on.isdigit() else None,
                )
        except Conflict as refusal:
            form.problem = refusal.detail
    if version is None:
        context = _context(request, rule, _editor(rule, document, errors), form)
        return render(request, "rules/detail.html", context, status=409 if form.problem else 422)
    if request.POST.get("then") == "rehearse":
        now = timezone.now()
        span = dict(SPANS).get(request.POST.get("span", ""), MONTH)
        services.rehearse(request.actor, version.pk, now - span, now)
    else:
        messages.success(
            request, _("Draft %(n)d is saved; it changes nothing until it is activated.") % {"n": version.number}
        )
    return redirect("rules:detail", rule_id)


@needs("rules.view")
def rehearsal(request: PageRequest, rehearsal_id: int) -> HttpResponse:
    """A rehearsal's progress or result, for htmx; asks again by itself while it runs."""
    found = selectors.rehearsal(request.actor, rehearsal_id)
    rule = selectors.get(request.actor, found.version.rule_id)
    context = {
        "rehearsal": found,
        "report": _report(request, found),
        "rule": rule,
        "live": selectors.live_version(rule),
    }
    return render(request, "rules/rehearsal.html", context)


@require_POST
@needs("rules.manage")
def activate(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Make the newest version live."""
    rule = selectors.get(request.actor, rule_id)
    version = next((v for v in rule.versions.all() if str(v.pk) == request.POST.get("version")), None)
    if version is None:
        raise Conflict(_("There is no such draft any more; look at the page again."))
    services.activate(request.actor, version.pk)
    messages.success(request, _("Version %(n)d is live from now on.") % {"n": version.number})
    return redirect("rules:detail", rule_id)


@require_POST
@needs("rules.manage")
def retire(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Switch the rule off."""
    services.retire(request.actor, rule_id)
    messages.success(request, _("The rule is off. Activate a version to switch it on again."))
    return redirect("rules:detail", rule_id)


__all__ = ["Span", "listing"]
