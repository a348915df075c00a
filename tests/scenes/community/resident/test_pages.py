import base64
import hmac
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from shoufu.engines import doors as engine
from shoufu.engines.doors.qr import encode
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.doors.models import Credential, OpenRequest
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.parties.selectors import has_consent
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.community.resident import selectors, services
from shoufu.scenes.community.resident.models import Request

PAGES = (
    "",
    "asked/",
    "sos/",
    "visitors/",
    "visitors/invite/",
    "door/",
    "car/",
    "notices/",
    "requests/",
    "requests/new/repair/",
    "requests/new/complaint/",
    "me/",
    "looks/",
    "data/",
    "family/",
    "contacts/",
)


@pytest.fixture
def browser(homes: Any) -> Any:
    def of(name: str) -> Client:
        client = Client()
        client.force_login(homes.users[name])
        return client

    return of


def photograph() -> bytes:
    image, out = Image.new("RGB", (3000, 2000), "red"), io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 9"
    exif[0x8825] = {1: "N", 2: (41.0, 49.0, 0.0)}
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("large", [False, True])
def test_a_resident_reads_every_page(homes: Any, browser: Any, path: str, large: bool) -> None:
    homes.users["mei"].large_print = large
    homes.users["mei"].save()
    assert browser("mei").get(f"/community/resident/{path}").status_code == 200


def test_the_guard_has_no_home_here(browser: Any) -> None:
    assert browser("guard").get("/community/resident/").status_code == 403


@pytest.mark.parametrize("path", ["manifest.webmanifest", "sw.js", "offline/"])
def test_what_makes_it_an_app_is_public_and_names_nobody(homes: Any, path: str) -> None:
    answer = Client().get(f"/community/resident/{path}")
    assert answer.status_code == 200 and "欧阳" not in answer.content.decode()


def test_a_phone_becomes_a_key_that_doors_accept(homes: Any, browser: Any) -> None:
    mine = browser("mei")
    given = mine.post("/community/resident/door/enrol").json()
    head = base64.b64decode(given["head"]) + (1_800_000_000 // 30).to_bytes(4, "big")
    text = encode(head + hmac.digest(base64.b64decode(given["key"]), head, "sha256")[: given["size"]])
    code = engine.read_code(text)
    from shoufu.kernel.doors import keys
    from shoufu.kernel.doors.models import DoorGroup

    group = DoorGroup.objects.select_related("place").get()
    assert code.genuine(keys.qr_key(group.place.code, group.epoch))
    mine.post(f"/community/resident/door/lost/{given['credential']}")
    assert Credential.objects.get(pk=given["credential"]).state == Credential.State.REVOKED


def test_a_neighbours_card_cannot_be_reported_lost(homes: Any, browser: Any) -> None:
    given = browser("mei").post("/community/resident/door/enrol").json()
    assert browser("li").post(f"/community/resident/door/lost/{given['credential']}").status_code == 404


def test_a_new_pin_replaces_the_old_one(homes: Any) -> None:
    first, second = services.new_pin(homes.act("mei")), services.new_pin(homes.act("mei"))
    pins = Credential.objects.filter(person=homes.mei, technology="pin")
    assert first != second and len(second) == 8 and pins.filter(state="active").count() == 1


def test_doors_open_by_phone_only_where_the_office_allows_it(homes: Any) -> None:
    with pytest.raises(Forbidden):
        services.open_door(homes.act("mei"), homes.unit_door.pk)
    with pytest.raises(Invalid):
        services.set_policy(homes.act("mei"), homes.world.songshan.pk, remote_open=True)
    services.set_policy(homes.act("manager"), homes.world.songshan.pk, remote_open=True)
    services.open_door(homes.act("mei"), homes.unit_door.pk)
    assert OpenRequest.objects.get().state == "sent"
    with pytest.raises(NotFound):
        services.open_door(homes.act("li"), homes.unit_door.pk)


def test_a_repair_with_a_picture_goes_to_the_office_and_shows_its_progress(homes: Any, browser: Any) -> None:
    mine = browser("mei")
    picture = SimpleUploadedFile("灯.jpg", photograph(), "image/jpeg")
    sent = {"subject": "light", "text": "三楼的灯不亮", "pictures": picture}
    page = mine.post("/community/resident/requests/new/repair/", sent, follow=True)
    found = Request.objects.get()
    assert page.status_code == 200 and "三楼的灯不亮" in page.content.decode()
    assert found.case.kind == "resident.repair" and found.case.role == "property_manager"
    media = MediaObject.objects.get()
    address = f"/community/resident/requests/{found.pk}/pictures/{media.pk}"
    kept = b"".join(mine.get(address))
    assert b"SecretPhone" not in kept and not Image.open(io.BytesIO(kept)).getexif()
    assert max(Image.open(io.BytesIO(kept)).size) == 1600
    assert browser("li").get(address).status_code == 404
    assert browser("li").get(f"/community/resident/requests/{found.pk}/").status_code == 404
    assert [step.done for step in selectors.progress(found)] == [True, False, False, False]


@pytest.mark.parametrize("content", [b"", b"not a picture", b"GIF89a" + b"\x00" * 20])
def test_what_is_no_picture_is_refused_whole(homes: Any, content: bytes) -> None:
    with pytest.raises(Invalid):
        services.ask(homes.act("mei"), services.RequestDraft("repair", "light", "灯", [content]))
    assert not Case.objects.exists()


def test_a_call_for_help_is_critical_and_reaches_the_daughter_while_it_is_allowed(homes: Any) -> None:
    mei = homes.act("mei")
    privacy.grant(mei, privacy.GrantDraft(homes.lan.pk, ["visitors.invite"]))
    services.add_contact(mei, "女儿", "13933334444", homes.lan.pk)
    assert has_consent(homes.mei.pk, "emergency.contact")
    called = services.call_for_help(mei)
    assert called.fresh and called.told == 1 and called.request.case.severity == "critical"
    assert "1 单元 101" in called.request.case.title
    assert Notice.objects.filter(user=homes.users["lan"], template="resident.sos").exists()
    again = services.call_for_help(mei)
    assert not again.fresh and again.request.pk == called.request.pk and Case.objects.count() == 1
    privacy.withdraw_consent(mei, "emergency.contact")
    Request.objects.all().delete()
    assert services.call_for_help(mei).told == 0


def test_the_daughter_acts_within_the_grant_and_not_beyond(homes: Any, browser: Any) -> None:
    grant = privacy.grant(homes.act("mei"), privacy.GrantDraft(homes.lan.pk, ["repairs.make"]))
    lan = browser("lan")
    lan.post("/community/resident/acting/", {"person": homes.mei.pk})
    assert "欧阳梅香" in lan.get("/community/resident/").content.decode()
    sent = {"subject": "water", "text": "妈妈家漏水"}
    assert lan.post("/community/resident/requests/new/repair/", sent, follow=True).status_code == 200
    found = Request.objects.get()
    assert found.person_id == homes.mei.pk and found.made_by == homes.users["lan"]
    entry = AuditEntry.objects.get(action="resident.ask")
    assert entry.subject == homes.mei.pk and entry.actor_id == str(homes.users["lan"].pk)
    for beyond in ("visitors/", "visitors/invite/", "looks/", "data/", "car/", "door/"):
        assert lan.get(f"/community/resident/{beyond}").status_code == 404
    privacy.withdraw(homes.act("mei"), grant.pk)
    page = lan.get("/community/resident/requests/")
    assert page.status_code == 200 and "妈妈家" not in page.content.decode() and "欧阳" not in page.content.decode()


def test_nobody_acts_without_a_grant(homes: Any, browser: Any) -> None:
    li = browser("li")
    assert li.post("/community/resident/acting/", {"person": homes.mei.pk}).status_code == 404


def test_one_tap_objects_to_a_look(homes: Any, browser: Any) -> None:
    from shoufu.kernel.parties import selectors as parties

    parties.look(homes.act("manager"), homes.mei.pk, "核对住户")
    mine = browser("mei")
    assert "核对住户" in mine.get("/community/resident/").content.decode()
    entry = AuditEntry.objects.get(action="parties.look")
    mine.post("/community/resident/looks/", {"entry": entry.pk})
    assert Case.objects.filter(kind="privacy.request").exists()
    assert browser("li").post("/community/resident/looks/", {"entry": entry.pk}).status_code == 302
    assert Case.objects.count() == 1


def test_the_large_view_has_at_most_five_buttons(homes: Any, browser: Any) -> None:
    mei = homes.act("mei")
    for name in ("女儿", "邻居", "儿子"):
        services.add_contact(mei, name, "13933334444")
    browser("mei").post("/community/resident/view/", {"large": "on"})
    text = browser("mei").get("/community/resident/").content.decode()
    assert text.count('class="large-button') == 5 and "按住求助" in text
