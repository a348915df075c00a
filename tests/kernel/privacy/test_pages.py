import io
import json
import zipfile

import pytest
from django.test import Client

from shoufu.kernel.parties import selectors as parties
from shoufu.kernel.privacy import exports, services
from shoufu.kernel.privacy.models import DataRequest, Delegation, Export
from shoufu.kernel.privacy.services import GrantDraft

pytestmark = pytest.mark.django_db
OWN = ("", "looks/", "consents/", "copies/", "correct/", "family/")


def client(user) -> Client:
    made = Client()
    made.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return made


def test_mei_reads_every_page_and_objects_by_one_tap(story) -> None:
    parties.look(story.as_chen, story.mei.pk, "快递送错")
    mei = client(story.mei_user)
    for page in OWN:
        assert mei.get(f"/privacy/{page}").status_code == 200, page
    shown = mei.get("/privacy/looks/").content.decode()
    assert "快递送错" in shown and "Chen" not in shown and "物业经理" in shown
    entry = shown.partition('name="entry" value="')[2].partition('"')[0]
    assert mei.post("/privacy/looks/object", {"entry": entry}).status_code == 302
    assert "已申诉" in mei.get("/privacy/looks/").content.decode()


def test_consents_are_switched_on_and_off(story) -> None:
    mei = client(story.mei_user)
    mei.post("/privacy/consents/", {"purpose": "welfare", "give": "1"})
    assert parties.has_consent(story.mei.pk, "welfare")
    mei.post("/privacy/consents/", {"purpose": "welfare", "give": "0"})
    assert not parties.has_consent(story.mei.pk, "welfare")


def test_a_wrong_phone_stays_in_the_form_and_says_why(story) -> None:
    answer = client(story.mei_user).post("/privacy/correct/", {"act": "correct", "phone": "12", "text": "换号"})
    shown = answer.content.decode()
    assert answer.status_code == 422 and 'value="12"' in shown and "换号" in shown and 'role="alert"' in shown


def test_mei_lets_her_daughter_act_and_ends_it(story) -> None:
    mei, lan = client(story.mei_user), client(story.lan_user)
    form = {"act": "grant", "code": "songshan-lan", "phone": "13933334444", "scopes": ["data.view", "looks.view"]}
    assert mei.post("/privacy/family/", form | {"phone": "13900000000"}).status_code == 422
    assert mei.post("/privacy/family/", form).status_code == 302
    assert "欧阳梅香" in lan.get(f"/privacy/looks/?person={story.mei.pk}").content.decode()
    assert lan.get(f"/privacy/correct/?person={story.mei.pk}").status_code == 404
    mei.post("/privacy/family/", {"act": "end", "grant": Delegation.objects.get().pk})
    assert lan.get(f"/privacy/looks/?person={story.mei.pk}").status_code == 404


def test_a_copy_holds_everything_and_only_its_owner_fetches_it(story, django_capture_on_commit_callbacks) -> None:
    parties.look(story.as_chen, story.mei.pk, "送药")
    row = Export.objects.create(
        person=story.mei, asked_by=story.mei_user, asked_at=story.mei.updated_at,
        expires_at=story.mei.updated_at.replace(year=2099),
    )  # fmt: skip
    exports.build(row.pk)
    assert client(story.lan_user).get(f"/privacy/copies/file?id={row.pk}").status_code == 404
    answer = client(story.mei_user).get(f"/privacy/copies/file?id={row.pk}")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        data = json.loads(archive.read("data.json"))
        page = archive.read("index.html").decode()
    assert data["手机号和身份证号"][0]["phone"] == "+8613811112222"
    assert "欧阳梅香" in page and "送药" in page and "上官" not in page


def test_the_manager_answers_requests_and_takes_the_audit_pack(story) -> None:
    asked = services.ask_correction(story.as_mei, {"phone": "13811119999"}, "换号了")
    services.grant(story.as_mei, GrantDraft(story.lan.pk, ["data.view"]))
    chen = client(story.world.chen)
    assert "更正" in chen.get("/privacy/requests/").content.decode()
    assert "换号了" in chen.get(f"/privacy/requests/{asked.pk}/").content.decode()
    listed = chen.get("/api/privacy/requests").json()["items"][0]
    assert (listed["person"], listed["place"]) == (story.mei.pk, story.mei.place_id)
    chen.post(f"/privacy/requests/{asked.pk}/", {"done": "1", "text": "已更正"})
    assert DataRequest.objects.get().state == "done" and parties.phones([story.mei.pk])[story.mei.pk].endswith("9999")
    assert chen.get("/privacy/register/").status_code == 200
    with zipfile.ZipFile(io.BytesIO(chen.post("/privacy/register/pack").content)) as archive:
        assert {"register.csv", "looks.csv", "consents.csv", "assessment.json"} <= set(archive.namelist())
        assert "欧阳梅香" not in archive.read("looks.csv").decode()
    for page in ("requests/", "register/", f"requests/{asked.pk}/"):
        assert client(story.world.bob).get(f"/privacy/{page}").status_code in (403, 404)


def test_a_request_for_erasure_shows_what_goes(story) -> None:
    asked = services.ask_erasure(story.as_mei, "搬走了")
    shown = client(story.world.chen).get(f"/privacy/requests/{asked.pk}/").content.decode()
    assert "parties_person" in shown and "备份" in shown
