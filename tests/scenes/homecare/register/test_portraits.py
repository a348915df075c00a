import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.parties import services as parties
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import Portrait, Practitioner

pytestmark = pytest.mark.django_db
API = "/api/homecare/register/practitioners/"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    """Within it, what waits for the commit is done."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def photo(width: int = 900, height: int = 600, colour: str = "teal", form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, form)
    return out.getvalue()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def address(row: Portrait) -> str:
    return reverse("homecare:register:portrait", args=[row.practitioner_id, row.pk])


def test_a_face_is_kept_as_a_sealed_square_and_a_new_one_takes_its_place(
    care: Any, folder: Path, committed: Any
) -> None:
    gao = care.act("gao")
    first = services.portray(gao, care.song.pk, photo())
    seen = services.picture(selectors.portrait(gao, care.song.pk))
    image = Image.open(io.BytesIO(seen))
    assert (image.format, image.size, first.size) == ("JPEG", (480, 480), len(seen))
    (file,) = files(folder)
    assert seen[:100] not in file.read_bytes()
    with committed():
        second = services.portray(gao, care.song.pk, photo(colour="navy"))
    assert second.pk != first.pk and Portrait.objects.get() == second
    assert files(folder) == [folder / second.key] and not file.exists()
    acts = AuditEntry.objects.filter(action="homecare.practitioner.portray")
    assert acts.count() == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xd8\xff" + b"0" * (60 << 20), "最多 10 MB，这张有 60.0 MB"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "JPEG、PNG 或 WebP"),
        (photo()[:-300], "损坏"),
        (photo(239, 900), "至少 240×240 像素，这张是 239×900"),
        (photo(9000, 5000, form="PNG"), "40 百万像素"),
    ],
)
def test_what_is_no_face_is_refused_by_name_and_the_old_one_stays(
    care: Any, folder: Path, content: bytes, said: str
) -> None:
    kept = services.portray(care.act("gao"), care.song.pk, photo())
    page = f"/homecare/register/practitioners/{care.song.pk}/"
    sent = {"act": "portray", "portrait": SimpleUploadedFile("a.jpg", content, "image/jpeg")}
    answered = care.client("gao").post(page, sent)
    assert answered.status_code == 422
    assert re.search(r'id="portrait-wrong">([^<]*)', answered.content.decode())[1].count(said) == 1  # type: ignore[index]
    answered = care.client("gao").put(f"{API}{care.song.pk}/portrait", content, content_type="image/jpeg")
    (error,) = answered.json()["errors"]
    assert answered.status_code == 422 and error["field"] == "portrait" and said in error["message"]
    assert Portrait.objects.get() == kept and files(folder) == [folder / kept.key]


def test_the_page_puts_a_face_up_shows_it_by_name_and_takes_it_down(care: Any, folder: Path, committed: Any) -> None:
    page, song = f"/homecare/register/practitioners/{care.song.pk}/", care.client("song")
    assert 'class="face big" aria-hidden="true">宋<' in song.get(page).content.decode()
    assert song.post(page, {"act": "portray"}).status_code == 422
    sent = {"act": "portray", "portrait": SimpleUploadedFile("我.png", photo(form="PNG"), "image/png")}
    assert song.post(page, sent).status_code == 302
    shown = song.get(page).content.decode()
    assert f'src="{address(Portrait.objects.get())}" alt="宋晓燕"' in shown and "本人同意" in shown
    assert f'src="{address(Portrait.objects.get())}"' in song.get("/homecare/register/practitioners/").content.decode()
    with committed():
        assert song.post(page, {"act": "unportray"}).status_code == 302
    assert not Portrait.objects.exists() and files(folder) == []
    assert song.post(page, {"act": "unportray"}).status_code == 404


def test_only_who_manages_and_the_person_themselves_change_a_face(care: Any) -> None:
    colleague = services.add_practitioner(care.act("gao"), care.office.pk, __import__("care_story").nurse("高雅琴"))
    services.portray(care.act("song"), care.song.pk, photo())
    with pytest.raises(Forbidden):
        services.portray(care.act("song"), colleague.pk, photo())
    for stranger in ("mei", "lan", "other", "foreign", "manager"):
        for act in (lambda who: services.portray(who, care.song.pk, photo()),
                    lambda who: services.unportray(who, care.song.pk)):  # fmt: skip
            with pytest.raises((NotFound, Forbidden)):
                act(care.act(stranger))
    page = care.client("song").get(f"/homecare/register/practitioners/{colleague.pk}/").content.decode()
    assert 'id="portrait-card"' not in page


def test_patients_see_who_may_come_to_them_and_nobody_else_does(care: Any) -> None:
    row = services.portray(care.act("gao"), care.song.pk, photo())
    for who in ("gao", "song", "mei"):
        answer = care.client(who).get(address(row))
        assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).size == (480, 480)
        assert answer["Content-Type"] == "image/jpeg" and answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"].startswith("private") and "Cookie" in answer["Vary"]
        again = care.client(who).get(address(row), headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304 and again.content == b""
    for stranger in ("lan", "other", "foreign", "manager"):
        assert care.client(stranger).get(address(row)).status_code == 404, stranger
        assert care.client(stranger).get(f"{API}{care.song.pk}/portrait").status_code == 404, stranger
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    assert care.client("lan").get(address(row)).status_code == 200
    new = services.portray(care.act("gao"), care.song.pk, photo(colour="navy"))
    assert care.client("mei").get(address(row)).status_code == 404
    services.end_patient(care.act("gao"), care.mei.pk, "康复")
    assert care.client("mei").get(address(new)).status_code == 404


def test_who_is_not_sent_is_seen_by_those_of_their_visits_only(care: Any) -> None:
    row = services.portray(care.act("gao"), care.song.pk, photo())
    services.suspend(care.act("gao"), care.song.pk, "核查")
    assert care.client("mei").get(address(row)).status_code == 404
    _visit(care)
    assert care.client("mei").get(address(row)).status_code == 200


def _visit(care: Any) -> None:

    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from shoufu.scenes.homecare.visits.models import Stop, Visit

    start = timezone.now() + timedelta(hours=3)
    visit = Visit.objects.create(
        patient=care.mei, institution=care.office, service=care.service, version=care.service.versions.get(),
        place=care.mei.place, state="booked", day=start.date(), starts_at=start,
        latest_at=start + timedelta(minutes=30), requested_at=timezone.now(),
    )  # fmt: skip
    span = DateTimeTZRange(start, start + timedelta(minutes=30))
    Stop.objects.create(visit=visit, practitioner=care.song, span=span)


def test_my_visits_and_a_visit_show_the_face(care: Any) -> None:
    row = services.portray(care.act("gao"), care.song.pk, photo())
    _visit(care)
    mei = care.client("mei")
    mine = mei.get("/homecare/visits/mine/").content.decode()
    assert f'src="{address(row)}" alt="宋晓燕"' in mine
    one = re.search(r'href="(/homecare/visits/mine/\d+/)"', mine)
    assert one is not None and f'src="{address(row)}"' in mei.get(one[1]).content.decode()
    services.unportray(care.act("song"), care.song.pk)
    assert '<span class="face" aria-hidden="true">宋</span>' in mei.get("/homecare/visits/mine/").content.decode()


@pytest.mark.parametrize("how", ["left", "died", "erased", "forgotten"])
def test_a_face_goes_with_the_person(care: Any, folder: Path, committed: Any, how: str) -> None:
    from shoufu.kernel.privacy.erasure.run import erase

    services.portray(care.act("song"), care.song.pk, photo())
    person = care.people["song"].pk
    with committed():
        if how == "left":
            services.depart(care.act("gao"), care.song.pk, "离职")
        elif how == "died":
            parties.died(SYSTEM, person, timezone.localdate())
        elif how == "erased":
            outcome = erase(SYSTEM, person, "本人要求")
            assert [one.what for one in outcome.receipts if one.where == "media"] == ["1"]
        else:
            long_ago = timezone.now() - timedelta(days=Practitioner.RETENTION_DAYS + 9)
            Practitioner.objects.filter(pk=care.song.pk).update(left_at=long_ago)
            services.forget(timezone.now())
    assert not Portrait.objects.exists() and files(folder) == []
    if how == "left":
        with pytest.raises(Conflict):
            services.portray(care.act("gao"), care.song.pk, photo())


def test_nothing_is_left_on_the_disk_when_the_row_is_refused(
    care: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody leaves while their picture is being made smaller."""
    from shoufu.scenes.homecare.register.services import portraits

    made = portraits.squared
    gone = lambda content: (Practitioner.objects.update(left_at=timezone.now()), made(content))[1]  # noqa: E731
    monkeypatch.setattr(portraits, "squared", gone)
    with pytest.raises(Conflict):
        services.portray(care.act("song"), care.song.pk, photo())
    assert not Portrait.objects.exists() and files(folder) == []


def test_programs_put_a_face_up_read_it_and_take_it_down(care: Any) -> None:
    gao, where = care.client("gao"), f"{API}{care.song.pk}/portrait"
    assert gao.get(where).status_code == 404
    made = gao.put(where, photo(form="WEBP"), content_type="image/webp")
    assert made.status_code == 200
    assert gao.get(f"{API}{care.song.pk}").json()["portrait"] == made.json()["id"]
    read = care.client("mei").get(where)
    assert read["Content-Type"] == "image/jpeg" and len(read.content) == made.json()["size"]
    assert read["Cache-Control"] == "private, no-cache"
    assert gao.delete(where).status_code == 204 and gao.delete(where).status_code == 404
    assert gao.get(f"{API}{care.song.pk}").json()["portrait"] is None


def test_lists_with_faces_cost_as_many_queries_as_without(care: Any) -> None:
    gao = care.client("gao")
    lists = ("/homecare/register/practitioners/", f"{API[:-1]}")

    def cost() -> list[int]:
        found = []
        for page in lists:
            with CaptureQueriesContext(connection) as asked:
                assert gao.get(page).status_code == 200
            found.append(len(asked))
        return found

    cost()
    before = cost()
    story = __import__("care_story")
    for name in ("高雅琴", "欧阳兰"):
        row = services.add_practitioner(care.act("gao"), care.office.pk, story.nurse(name))
        services.portray(care.act("gao"), row.pk, photo())
    services.portray(care.act("gao"), care.song.pk, photo())
    assert cost() == before


def test_a_file_that_is_gone_is_said_so(care: Any, folder: Path) -> None:
    row = services.portray(care.act("gao"), care.song.pk, photo())
    (folder / row.key).unlink()
    answer = care.client("gao").get(f"{API}{care.song.pk}/portrait")
    assert answer.status_code == 404 and "备份" in answer.json()["detail"]


def test_an_empty_picture_is_refused(care: Any) -> None:
    with pytest.raises(Invalid, match="portrait"):
        services.portray(care.act("gao"), care.song.pk, b"")
