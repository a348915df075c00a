import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.quality import services, trace
from shoufu.scenes.homecare.quality.names import initials
from shoufu.scenes.homecare.quality.services import ComplaintDraft, IncidentDraft, RatingDraft
from shoufu.scenes.homecare.visits.models import VisitEvent

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def test_names_before_a_reason_are_initials() -> None:
    assert [initials(name) for name in ("欧阳梅", "John Smith", "")] == ["欧**", "J. S.", ""]


def _story(staff: Any, visit_of: Make) -> Any:
    row = visit_of(ago=timedelta(hours=5))
    VisitEvent.objects.create(visit=row, at=row.requested_at, kind="hold", user=staff.users["mei"])
    plan = DayPlan.objects.create(institution=staff.office, day=row.day, changed_at=timezone.now())
    PlanEvent.objects.create(plan=plan, number=1, at=timezone.now(), kind="late", reason="堵车", moved=[row.pk])
    PlanEvent.objects.create(plan=plan, number=2, at=timezone.now(), kind="solved", moved=[])
    services.rate(staff.act("mei"), row.pk, RatingDraft(2, ("rough",), "很疼"))
    services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("care", "换药太疼", "换人", row.pk))
    services.report(staff.act("song"), IncidentDraft("bleeding", 3, timezone.now(), "渗血", "压迫止血", row.pk))
    return row


def test_the_regulator_reads_a_visit_from_end_to_end_after_a_reason(staff: Any, visit_of: Make) -> None:
    row = _story(staff, visit_of)
    for reason in ("", "   ", "x"):
        with pytest.raises(Invalid):
            trace.look(staff.act("ji"), row.pk, reason)
    assert not AuditEntry.objects.filter(action="homecare.trace.look").exists()
    found = trace.look(staff.act("ji"), row.pk, "投诉核查")
    text = json.dumps(found.document(), ensure_ascii=False)
    for word in ("欧阳梅", "宋晓燕", "很疼", "换药太疼", "换人", "渗血", "压迫止血", "堵车", "弄疼我了"):
        assert word in text, word
    assert [one.code for one in found.sections] == ["visit", "history", "plan", "rating", "complaint", "incident"]
    lines = {one.code: [what for _at, what, _who, _words in one.lines] for one in found.sections}
    assert (lines["history"], lines["plan"]) == (["已占时间"], ["因有人晚到调整了排班"]), "words, not codes"
    mine = privacy.looks(staff.act("mei"))
    assert [(one.reason, one.kind) for one in mine if "全过程" in one.what] == [("投诉核查", "look")]
    assert any("全过程" in one.what for one in privacy.looks(staff.act("song")))


def test_an_exported_trace_proves_itself(staff: Any, visit_of: Make) -> None:
    row = _story(staff, visit_of)
    found = trace.export(staff.act("ji"), row.pk, "提交行政复议")
    document = json.loads(json.dumps(found.document(), ensure_ascii=False))
    assert trace.verify(document, found.digest)
    document["sections"][0]["facts"][0]["value"] = "V-1"
    assert not trace.verify(document, found.digest)
    kept = AuditEntry.objects.filter(action="homecare.trace.export").first()
    assert kept is not None and kept.data["sha256"] == found.digest
    assert trace.pdf(found).startswith(b"%PDF")


def test_nobody_else_traces(staff: Any, visit_of: Make) -> None:
    row = visit_of()
    for stranger in ("other", "du", "foreign"):
        with pytest.raises(NotFound):
            trace.look(staff.act(stranger), row.pk, "看看别人的")
    for stranger in ("mei", "song", "manager"):
        with pytest.raises(Forbidden):
            trace.look(staff.act(stranger), row.pk, "看看别人的")
    assert trace.look(staff.act("gao"), row.pk, "处理投诉").sections
