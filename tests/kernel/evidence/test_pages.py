from typing import Any

from django.test import Client

from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.devices.models import Device
from shoufu.kernel.evidence.models import Export, Hold


def test_a_manager_asks_for_a_bundle_and_holds_the_case(world: Any, settings: Any, tmp_path: Any) -> None:
    settings.KEYS_ROOT = settings.DATA_ROOT = tmp_path
    case = report(world.act(world.chen), CaseReport(world.door.pk, "门坏了"))
    camera = Device.objects.create(code="cam-9", kind="camera", name="北院", place=world.songshan)
    client = Client()
    client.force_login(world.chen)
    assert f"/evidence/case/{case.pk}" in client.get(f"/cases/{case.pk}").content.decode()
    assert "北院" in client.get(f"/evidence/case/{case.pk}").content.decode()
    given = {"recipient": "派出所", "reason": "立案", "sharp": "nobody", "days": "7", "cameras": [camera.pk]}
    assert client.post(f"/evidence/case/{case.pk}", given).status_code == 422
    span = {"since": "2026-11-24T09:00:00", "until": "2026-11-24T09:05:00"}
    assert client.post(f"/evidence/case/{case.pk}", given | span).status_code == 302
    export = Export.objects.get()
    page = client.get(f"/evidence/{export.pk}").content.decode()
    assert export.number in page and "派出所" in page
    assert export.number in client.get("/evidence/").content.decode()
    assert client.get(f"/evidence/{export.pk}/progress").status_code == 200
    assert client.post(f"/evidence/{export.pk}/download").status_code == 409
    hold = {"reason": "法院", "review_at": "2099-01-01"}
    assert client.post(f"/evidence/case/{case.pk}/hold", hold).status_code == 302
    assert "法院" in client.get(f"/cases/{case.pk}").content.decode()
    assert client.post(f"/evidence/case/{case.pk}/hold", {"reason": "审结", "lift": "1"}).status_code == 302
    assert Hold.objects.get().lifted_at is not None
