from typing import Any

from django.test import Client

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.referrals.models import Destination, Policy, Referral


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def test_from_the_guards_panel_to_the_officers_outcome(world, case, console):
    guard, officer = signed_in(world.alice), signed_in(world.dan)
    assert f"/referrals/case/{case.pk}" in text(guard.get(f"/cases/{case.pk}"))
    assert "皇姑区接警中心" in text(guard.get(f"/referrals/case/{case.pk}"))
    assert guard.post(f"/referrals/case/{case.pk}", {"destination": console.pk}).status_code == 422
    sent = guard.post(f"/referrals/case/{case.pk}", {"destination": console.pk, "reason": "需要民警"})
    assert sent.status_code == 302
    referral = Referral.objects.get()
    assert officer.get("/").headers["Location"].endswith("/referrals/console")
    shown = text(officer.get("/referrals/console"))
    assert referral.number in shown and "松山小区 5 号楼" in shown and "需要民警" in shown
    assert AuditEntry.objects.filter(action="referrals.look", actor_id=str(world.dan.pk)).exists()
    act = f"/referrals/console/{referral.pk}"
    assert officer.post(f"{act}/end", {"outcome": "handled"}).status_code == 422
    assert officer.post(f"{act}/accept", {"reference": "110-1"}).status_code == 200
    assert officer.post(f"{act}/end", {"outcome": "handled", "text": "已处置"}).status_code == 200
    assert officer.post(f"{act}/accept", {"version": "1"}).status_code == 409
    assert "已处置" in text(officer.get("/referrals/console?tab=ended"))
    assert "已处置" in text(guard.get(f"/referrals/{referral.pk}"))
    assert referral.number in text(guard.get("/referrals/"))
    assert officer.get(f"/cases/{case.pk}").status_code in (403, 404)


def test_a_manager_sees_the_lines_and_adds_a_policy(world, console, hook):
    manager = signed_in(world.chen)
    for page in ("/referrals/destinations", "/referrals/policies", "/referrals/policies/new"):
        text(manager.get(page))
    given = {"name": "紧急自动", "place": world.songshan.pk, "destination": console.pk, "severities": ["critical"]}
    answer = manager.post("/referrals/policies/new", given | {"escalation": "0", "after_minutes": "5", "active": "on"})
    assert answer.status_code == 302
    assert "紧急自动" in text(manager.get("/referrals/policies"))
    assert "紧急自动" in text(manager.get(f"/referrals/policies/{Policy.objects.get().pk}"))
    assert manager.post("/referrals/policies/new", {"name": ""}).status_code == 422
    assert Destination.objects.count() == 2
