import hmac
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.engines import doors as engine
from shoufu.engines.doors.qr import encode
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.models import Case
from shoufu.kernel.doors.models import Credential, Passage
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.community.vehicles.deciding import decide
from shoufu.scenes.community.vehicles.services import gate
from shoufu.scenes.community.visitors import selectors, services
from shoufu.scenes.community.visitors.models import Invitation, LinkTry

State = Invitation.State


def draft(home: Any, **changes: Any) -> services.InviteDraft:
    now = timezone.now()
    given = {"household": home.pk, "since": now, "until": now + timedelta(hours=2), "visitor": "张三"}
    return services.InviteDraft(**(given | changes))


def invited(homes: Any, **changes: Any) -> services.Invited:
    return services.invite(homes.act("mei"), draft(homes.mei_home, **changes))


def code(row: Invitation, seconds: float = 0) -> str:
    """The text that the visitor's page shows, so many seconds from now."""
    issued = services.code_of(Invitation.objects.select_related("visit__credential", "place").get(pk=row.pk))
    assert issued is not None
    step = int(timezone.now().timestamp() + seconds) // 30
    head = issued.code.head + step.to_bytes(4, "big")
    return encode(head + hmac.digest(issued.code.key, head, "sha256")[: issued.code.size])


def test_the_visitor_comes_by_the_door_and_the_host_is_told(homes: Any) -> None:
    row = invited(homes).invitation
    passage = Passage(
        id=uuid7(),
        point=homes.unit_door,
        credential_id=row.visit_id,
        at=timezone.now(),
        known=timezone.now(),
        granted=True,
        technology="qr",
        side="in",
    )
    assert services.passed([passage]) == 1
    row.refresh_from_db()
    assert row.state == State.INSIDE
    assert "张三" in Notice.objects.get(user=homes.users["mei"], template="visitor.arrived").subject


def test_doors_keep_no_name_of_the_visitor(homes: Any) -> None:
    row = invited(homes).invitation
    assert "张三" not in Credential.objects.get(pk=row.visit_id).holder


def test_a_neighbour_invites_to_their_own_home_only(homes: Any) -> None:
    with pytest.raises(Invalid):
        services.invite(homes.act("li"), draft(homes.mei_home))
    with pytest.raises(NotFound):
        services.invite(homes.act("li"), draft(homes.mei_home, host=homes.mei.pk))
    mine = invited(homes).invitation
    for act in (services.withdraw, services.new_link, services.has_left):
        with pytest.raises(NotFound):
            act(homes.act("li"), mine.pk)
    assert not selectors.own(homes.act("li")).exists()


def test_a_daughter_invites_within_what_was_granted_and_no_longer(homes: Any) -> None:
    grant = privacy.grant(homes.act("mei"), privacy.GrantDraft(homes.lan.pk, ["visitors.invite"]))
    row = services.invite(homes.act("lan"), draft(homes.mei_home, host=homes.mei.pk)).invitation
    entry = AuditEntry.objects.get(action="visitors.invite")
    assert entry.subject == homes.mei.pk and entry.actor_id == str(homes.users["lan"].pk) and entry.data["acting_for"]
    assert row.visit is not None
    privacy.withdraw(homes.act("mei"), grant.pk)
    with pytest.raises(NotFound):
        services.withdraw(homes.act("lan"), row.pk)
    assert services.withdraw(homes.act("mei"), row.pk).state == State.WITHDRAWN
    assert Credential.objects.get(pk=row.visit_id).state == Credential.State.REVOKED


def test_wrong_fields_are_all_named(homes: Any) -> None:
    wrong = draft(homes.mei_home, maximum=99, plate="ABC", people=0, until=timezone.now() + timedelta(days=60))
    with pytest.raises(Invalid) as refusal:
        services.invite(homes.act("mei"), wrong)
    assert {error.field for error in refusal.value.errors} == {"maximum", "plate", "people", "until"}
    assert not Invitation.objects.exists()


def test_the_desk_lets_a_genuine_code_in_once(homes: Any) -> None:
    row, guard = invited(homes).invitation, homes.act("guard")
    text = code(row)
    assert services.check_code(guard, text).good
    assert services.check_code(guard, text).verdict == services.Verdict.REPLAYED
    services.check_in(guard, row.pk)
    assert services.check_code(guard, code(row, 30)).verdict == services.Verdict.INSIDE
    with pytest.raises(Conflict):
        services.check_in(guard, row.pk)


def test_each_bad_code_has_its_sentence(homes: Any) -> None:
    row, guard = invited(homes).invitation, homes.act("guard")
    verdict = services.Verdict
    good = code(row)
    forged = encode(engine.read_code(good).content[:-1] + b"\x00")
    late = timezone.now().timestamp() + 3 * 3600
    assert services.check_code(guard, "hello").verdict == verdict.NOT_OURS
    assert services.check_code(guard, forged).verdict == verdict.FORGED
    assert services.check_code(guard, code(row, -300)).verdict == verdict.STALE
    assert services.check_code(guard, good, late).verdict == verdict.EXPIRED
    assert services.check_code(homes.act("other_guard"), good).verdict == verdict.ELSEWHERE
    services.withdraw(homes.act("mei"), row.pk)
    assert services.check_code(guard, good).verdict == verdict.WITHDRAWN
    sentences = {services.desk.sentence_of(one) for one in verdict}
    assert len(sentences) == len(verdict)
    assert AuditEntry.objects.filter(action="visitors.check").count() == 6


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_guesses_open_nothing_and_are_counted(homes: Any) -> None:
    token = invited(homes).token
    browser = Client()
    answers = [browser.get(f"/community/visitors/v/{'A' * 18}{n:04d}/").status_code for n in range(60)]
    assert answers[:20] == [404] * 20 and set(answers[20:]) == {429}
    assert browser.get(f"/community/visitors/v/{token}/").status_code == 429
    for n in range(10_000 - 60):
        with pytest.raises((NotFound, services.TooMany)):
            services.open_link(f"{'B' * 17}{n:05d}", f"10.{n % 7}.{n // 250 % 200}.{n % 250}")
    everybody = LinkTry.objects.filter(source=b"")
    assert sum(everybody.values_list("count", flat=True)) == 10_001
    assert Case.objects.filter(kind="visitor.guessing").count() == 1
    assert AuditEntry.objects.filter(action="visitors.link_refused").exists()
    assert services.open_link(token, "192.0.2.7").visitor == "张三"


def test_the_link_shows_the_pass_without_signing_in(homes: Any) -> None:
    made = invited(homes)
    browser = Client()
    page = browser.get(f"/community/visitors/v/{made.token}/")
    text = page.content.decode()
    assert (
        page.status_code == 200 and "<svg" in text and "1 号楼 1 单元" in text and page["Cache-Control"] == "no-store"
    )
    assert "欧阳梅香" not in text
    assert browser.post(f"/community/visitors/v/{made.token}/", {"plate": "辽A12345"}).status_code == 302
    assert selectors.expected_plates("/", timezone.now()) == [("辽A12345", made.invitation.pk, False)]
    assert browser.post(f"/community/visitors/v/{made.token}/", {"plate": "1"}).status_code == 422
    services.withdraw(homes.act("mei"), made.invitation.pk)
    assert 'id="visitor-code"' not in browser.get(f"/community/visitors/v/{made.token}/").content.decode()


def test_a_new_link_stops_the_old_one(homes: Any) -> None:
    made = invited(homes)
    fresh = services.new_link(homes.act("mei"), made.invitation.pk)
    with pytest.raises(NotFound):
        services.open_link(made.token, "192.0.2.8")
    assert services.open_link(fresh.token, "192.0.2.8").pk == made.invitation.pk


def test_a_walk_in_is_asked_for_and_answered_with_one_key(homes: Any) -> None:
    guard = homes.act("guard")
    row, told = services.walk_in(guard, services.WalkIn("1-1-101", "王师傅", reason="修空调"))
    assert told == 1 and row.state == State.ASKED
    with pytest.raises(NotFound):
        services.answer(homes.act("li"), row.pk, let_in=True)
    browser = Client()
    browser.force_login(homes.users["mei"])
    assert "王师傅" in browser.get("/community/resident/").content.decode()
    browser.post(f"/community/resident/visitors/{row.pk}/act", {"act": "yes"})
    row.refresh_from_db()
    assert row.state == State.EXPECTED and row.host_id == homes.mei.pk and row.visit_id
    assert services.check_in(guard, row.pk).state == State.INSIDE


def test_a_delivery_has_fifteen_minutes_and_then_becomes_a_case(homes: Any) -> None:
    row, _told = services.walk_in(homes.act("guard"), services.WalkIn("1 号楼 1 单元 101", kind="food"))
    assert row.state == State.INSIDE and row.until - row.since == timedelta(minutes=15)
    assert services.settle(row.until) == 1
    assert Notice.objects.filter(template="visitor.still_here", user=homes.users["mei"]).exists()
    assert not Case.objects.filter(kind="visitor.overstay").exists()
    services.settle(row.until + timedelta(minutes=16))
    services.settle(row.until + timedelta(minutes=40))
    assert Case.objects.filter(kind="visitor.overstay").count() == 1


def test_the_host_says_that_a_visitor_stays_longer_or_has_left(homes: Any) -> None:
    row = invited(homes).invitation
    services.check_in(homes.act("guard"), row.pk)
    later = services.stays_longer(homes.act("mei"), row.pk).until
    assert later > row.until and services.settle(row.until) == 0
    assert services.has_left(homes.act("mei"), row.pk).state == State.LEFT


def test_an_unknown_home_keeps_what_the_guard_typed(homes: Any) -> None:
    browser = Client()
    browser.force_login(homes.users["guard"])
    sent = {"home": "9-9-999", "visitor": "赵六", "kind": "visitor", "people": "1"}
    answer = browser.post("/community/visitors/walk-in/", sent)
    assert answer.status_code == 422 and "赵六" in answer.content.decode()


@pytest.mark.parametrize("path", ["", "?format=csv", "?q=张", "?state=expected"])
def test_the_desk_lists_visits(homes: Any, path: str) -> None:
    invited(homes)
    browser = Client()
    browser.force_login(homes.users["guard"])
    answer = browser.get(f"/community/visitors/{path}")
    body = b"".join(answer) if answer.streaming else answer.content
    assert answer.status_code == 200 and "张三" in body.decode("utf-8-sig")
    browser.force_login(homes.users["other_guard"])
    answer = browser.get(f"/community/visitors/{path}")
    assert "张三" not in (b"".join(answer) if answer.streaming else answer.content).decode("utf-8-sig")


def test_a_look_at_the_phone_number_is_kept(homes: Any) -> None:
    row = invited(homes, phone="13800001111").invitation
    assert b"13800001111" not in bytes(Invitation.objects.get(pk=row.pk).phone or b"")
    with pytest.raises(Invalid):
        services.look_phone(homes.act("guard"), row.pk, "")
    assert services.look_phone(homes.act("guard"), row.pk, "找不到门") == "+8613800001111"
    assert AuditEntry.objects.get(action="visitors.look_phone").subject == homes.mei.pk


def test_visits_are_forgotten_after_thirty_days(homes: Any) -> None:
    row = invited(homes).invitation
    services.forget(row.until + timedelta(days=29))
    assert Invitation.objects.filter(pk=row.pk).exists()
    services.forget(row.until + timedelta(days=31))
    assert not Invitation.objects.filter(pk=row.pk).exists()


def test_the_visitors_car_opens_the_barrier_and_the_host_is_told(homes: Any) -> None:
    row = invited(homes, plate="辽A·D5678").invitation
    path, now = homes.world.songshan.path, timezone.now()
    assert selectors.expected_plates(path, now) == [(row.plate, row.pk, False)]
    known = gate.compound(homes.world.songshan.pk, path, "Asia/Shanghai", now)
    decision = decide(row.plate, 0.97, "in", known.index, known.known, known.rules)
    assert (decision.action, decision.klass) == ("open", "visitor")
    assert services.drove(row.pk, "in", now)
    row.refresh_from_db()
    assert row.state == State.INSIDE and Notice.objects.filter(template="visitor.arrived").count() == 1
    again = gate.compound(homes.world.songshan.pk, path, "Asia/Shanghai", now)
    twin = decide(row.plate, 0.97, "in", again.index, again.known, again.rules)
    assert (twin.action, twin.reason) == ("ask", "inside")
    assert services.drove(row.pk, "out", now + timedelta(minutes=30))
    row.refresh_from_db()
    assert row.state == State.LEFT
