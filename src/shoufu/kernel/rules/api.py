from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.places import selectors as places
from shoufu.kernel.rules import selectors, services
from shoufu.kernel.rules.learning.api import add_to
from shoufu.kernel.rules.models import Rehearsal, Rule, RuleVersion
from shoufu.kernel.rules.spec import Language, parse, sentence

router = Router()
add_to(router)
SORTABLE = {"code": "code", "name": "name", "place": "place__path", "created_at": "created_at"}
FIRINGS_SORTABLE = {"t": "t", "place": "place__path"}


class RuleOut(Schema):
    id: int
    code: str
    name: str
    name_en: str
    place: int = Field(alias="place_id")
    template: str
    live: int | None = Field(None, alias="live_number", description="Number of the version in force")
    draft: int | None = Field(None, alias="draft_number")


class VersionOut(Schema):
    id: int
    rule: int = Field(alias="rule_id")
    number: int
    state: str
    spec: dict[str, Any]
    note: str
    author: str
    created_at: datetime
    live_from: datetime | None
    live_until: datetime | None
    from_batch: int | None
    until_batch: int | None
    sentence: str
    sentence_en: str

    @staticmethod
    def resolve_sentence(version: RuleVersion) -> str:
        return _sentence(version, "zh-hans")

    @staticmethod
    def resolve_sentence_en(version: RuleVersion) -> str:
        return _sentence(version, "en")


def _sentence(version: RuleVersion, language: Language) -> str:
    """Empty for a document of an older release that cannot be read any more."""
    try:
        return str(sentence(parse(version.spec), language))
    except Invalid:
        return ""


class RuleDetail(RuleOut):
    versions: list[VersionOut]


class RuleIn(Schema):
    place: int
    name: str = Field("", max_length=120)
    name_en: str = Field("", max_length=120)
    code: str = Field("", max_length=64)
    template: str = Field("", description="Code of a template; then `spec` may be left out")
    spec: dict[str, Any] = {}
    note: str = Field("", max_length=200)


class DraftIn(Schema):
    spec: dict[str, Any]
    note: str = Field("", max_length=200)
    based_on: int | None = Field(None, description="The newest version you saw; 409 when there is a newer one")


class CheckIn(Schema):
    place: int
    spec: dict[str, Any]


class FaultOut(Schema):
    field: str
    message: str
    position: int | None = None


class CheckOut(Schema):
    ok: bool
    errors: list[FaultOut]
    sentence: str = ""
    sentence_en: str = ""


class SpanIn(Schema):
    since: datetime
    until: datetime


class RehearsalOut(Schema):
    id: int
    version: int = Field(alias="version_id")
    since: datetime
    until: datetime
    state: str
    progress: float
    error: str
    seconds: float | None
    asked_at: datetime


class RehearsalDetail(RehearsalOut):
    result: dict[str, Any] | None


class FiringOut(Schema):
    id: int
    version: int = Field(alias="version_id")
    key: str
    t: datetime
    place: int = Field(alias="place_id")
    device: int | None = Field(alias="device_id")
    observations: list[str]
    why: list[dict[str, Any]]
    batch: int
    suppressed: bool
    late: bool


class RuleQuery(ListQuery):
    root: int | None = Field(None, description="Only rules of this place and of what is below it")
    text: str = ""
    state: str = Field("", description="live, draft or off")


class FiringQuery(ListQuery):
    since: datetime | None = None
    until: datetime | None = None
    suppressed: bool | None = None


@router.get("", response=Page[RuleOut])
def list_rules(request: PageRequest, query: Query[RuleQuery]) -> Any:
    """The rules that one may see."""
    path = places.get(request.actor, query.root).path if query.root is not None else ""
    rows = selectors.listed(request.actor, place_path=path, search=query.text.strip(), state=query.state)
    return answer(rows, query, SORTABLE, RuleOut.from_orm, "rules")


@router.post("", response={201: list[VersionOut]})
def create_rules(request: PageRequest, body: list[RuleIn]) -> tuple[int, list[RuleVersion]]:
    """Make rules, all or none, each with a first draft; returns the drafts."""
    rules = services.create_rules(request.actor, [services.RuleDraft(**item.model_dump()) for item in body])
    return 201, list(RuleVersion.objects.filter(rule__in=rules).order_by("rule_id"))


@router.post("/check", response=CheckOut)
def check(request: PageRequest, body: CheckIn) -> CheckOut:
    """What is wrong with a rule document, field by field, and how it reads."""
    faults = services.check_document(request.actor, body.spec, places.get(request.actor, body.place))
    if faults:
        errors = [
            FaultOut(field=fault.field, message=str(fault.message), position=getattr(fault, "position", None))
            for fault in faults
        ]
        return CheckOut(ok=False, errors=errors)
    spec = parse(body.spec)
    return CheckOut(ok=True, errors=[], sentence=str(sentence(spec)), sentence_en=str(sentence(spec, "en")))


@router.get("/rehearsals/{int:rehearsal_id}", response=RehearsalDetail)
def get_rehearsal(request: PageRequest, rehearsal_id: int) -> Rehearsal:
    """A rehearsal with its progress and, when it is done, its result."""
    return selectors.rehearsal(request.actor, rehearsal_id)


@router.post("/versions/{int:version_id}/rehearsals", response={201: RehearsalOut})
def rehearse(request: PageRequest, version_id: int, body: SpanIn) -> tuple[int, Rehearsal]:
    """Queue a rehearsal of a version over a recorded span."""
    return 201, services.rehearse(request.actor, version_id, body.since, body.until)


@router.post("/versions/{int:version_id}/activate", response=VersionOut)
def activate(request: PageRequest, version_id: int) -> RuleVersion:
    """Put a version in force from the next batch of the log on."""
    return services.activate(request.actor, version_id)


@router.get("/{int:rule_id}", response=RuleDetail)
def get_rule(request: PageRequest, rule_id: int) -> Rule:
    """One rule with all its versions."""
    return selectors.get(request.actor, rule_id)


@router.post("/{int:rule_id}/drafts", response={201: VersionOut})
def save_draft(request: PageRequest, rule_id: int, body: DraftIn) -> tuple[int, RuleVersion]:
    """Save a draft of a rule."""
    return 201, services.save_draft(request.actor, rule_id, body.spec, note=body.note, based_on=body.based_on)


@router.post("/{int:rule_id}/retire", response=VersionOut)
def retire(request: PageRequest, rule_id: int) -> RuleVersion:
    """Switch a rule off from the next batch of the log on."""
    return services.retire(request.actor, rule_id)


@router.get("/{int:rule_id}/firings", response=Page[FiringOut])
def firings(request: PageRequest, rule_id: int, query: Query[FiringQuery]) -> Any:
    """When a rule fired, newest first, with reasons."""
    rows = selectors.firings(request.actor, rule_id=selectors.get(request.actor, rule_id).pk)
    bounds = {"t__gte": query.since, "t__lt": query.until, "suppressed": query.suppressed}
    rows = rows.filter(**{name: value for name, value in bounds.items() if value is not None})
    return answer(rows, query, FIRINGS_SORTABLE, FiringOut.from_orm, "firings")
