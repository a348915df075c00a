from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy.erasure.subject import gather
from shoufu.scenes.homecare.encounters import measuring, services
from shoufu.scenes.homecare.encounters.models import Encounter, Photo, Piece

pytestmark = pytest.mark.django_db
MEDIA = "/api/homecare/encounters/media/"


def jpeg(width: int = 200, height: int = 150) -> bytes:
    import sys

    made: bytes = sys.modules["care_phone"].jpeg(width, height)
    return made


def announced(visiting: Any, content: bytes, **changes: Any) -> tuple[UUID, Any]:
    phone, visit = visiting.phone, visiting.visit
    if not Encounter.objects.exists():
        phone.send(phone.line(visit, "consent", {"service": True, "photos": True}))
    line = phone.photo(visit, content, **changes)
    (answer,) = phone.send(line)
    return UUID(line.content["media"]), answer


def test_a_picture_comes_in_pieces_breaks_off_and_is_whole(visiting: Any) -> None:
    song, content = visiting.care.act("song"), jpeg()
    media, answer = announced(visiting, content)
    assert answer.result == "applied"
    services.piece(song, media, 0, content[:400])
    with pytest.raises(Conflict) as refused:
        services.piece(song, media, 0, content[:400])
    assert refused.value.extra["received"] == 400 == services.progress(song, media).received
    assert content[:400] not in bytes(Piece.objects.get().content)
    with pytest.raises(NotFound):
        services.piece(visiting.care.act("gao"), media, 400, content[400:])
    found = services.piece(song, media, 400, content[400:])
    assert found.kept and not Piece.objects.exists()
    assert services.piece(song, media, 0, content).kept
    row = Photo.objects.get()
    file = Path(settings.MEDIA_ROOT) / str(row.key)
    assert content[:100] not in file.read_bytes()
    encounter = Encounter.objects.get()
    assert services.picture(visiting.care.act("gao"), encounter.pk, media)[1] == content
    assert AuditEntry.objects.filter(action="homecare.encounter.look_photo").count() == 1
    assert services.picture(visiting.care.act("mei"), encounter.pk, media, mine=True)[1] == content
    for stranger in ("other", "foreign", "lan"):
        with pytest.raises(NotFound):
            services.picture(visiting.care.act(stranger), encounter.pk, media)
    # 50 mm are 100 pixels: the outline of 40 by 30 pixels is 2.0 by 1.5 cm.
    measured = services.shown(encounter).photos[0].detail["measured"]
    assert measured["scale"] == 0.5 and measured["area"] == 3.0 and measured["length"] == 2.5
    row.delete()


def test_what_is_not_what_was_announced_is_asked_for_again(visiting: Any) -> None:
    song, content = visiting.care.act("song"), jpeg()
    media, _answer = announced(visiting, content)
    with pytest.raises(Invalid):
        services.piece(song, media, 0, content[:-2] + b"xx")
    assert services.progress(song, media).received == 0
    cut = content[:300]
    broken, _answer = announced(visiting, cut)
    with pytest.raises(Invalid, match="JPEG"):
        services.piece(song, broken, 0, cut)
    with pytest.raises(Invalid):
        services.piece(song, media, 0, content + b"more")
    assert services.piece(song, media, 0, content).kept


def test_a_picture_of_60_mb_is_refused_with_the_limit(visiting: Any) -> None:
    content = jpeg()
    _media, answer = announced(visiting, content, size=60 << 20)
    assert answer.result == "refused"
    (error,) = answer.problem["errors"]
    assert error["field"] == "content.size" and "8 MiB" in error["message"] and "60.0" in error["message"]
    media, _answer = announced(visiting, content)
    phone = visiting.care.client("song")
    big = phone.put(f"{MEDIA}{media}/0", data=b"\xff\xd8\xff" + b"0" * (60 << 20), content_type="image/jpeg")
    assert big.status_code == 413
    assert "8 MiB" in big.json()["detail"] and big.json()["most"] == 8 << 20
    assert phone.put(f"{MEDIA}{media}/0", data=content, content_type="image/jpeg").json()["kept"] is True
    assert phone.get(f"{MEDIA}{media}").json() == {"received": len(content), "size": len(content), "kept": True}


def test_erasure_takes_what_was_written_and_the_bytes(visiting: Any, django_capture_on_commit_callbacks: Any) -> None:
    song, content, mei = visiting.care.act("song"), jpeg(), visiting.care.people["mei"]
    media, _answer = announced(visiting, content)
    services.piece(song, media, 0, content)
    file = Path(settings.MEDIA_ROOT) / str(Photo.objects.get().key)
    subject = gather(mei)
    hook = next(one.ended for one in declarations.hooks() if one.ended and "encounters" in one.ended.__module__)
    with django_capture_on_commit_callbacks(execute=True):
        assert [one.what for one in hook(song, subject, "x")] == ["1"]
    assert not file.exists()
    exported = next(one for one in declarations.holdings() if one.model == "homecare_encounters.encounter").export
    assert callable(exported)
    assert exported(Encounter.objects.get())["photos"][0]["subject"] == "wound"


def test_old_encounters_go_with_their_pictures(visiting: Any) -> None:
    song, content = visiting.care.act("song"), jpeg()
    media, _answer = announced(visiting, content)
    services.piece(song, media, 0, content)
    file = Path(settings.MEDIA_ROOT) / str(Photo.objects.get().key)
    assert services.forget(timezone.now() + timedelta(days=14 * 365)) == 0 or Encounter.objects.exists()
    assert services.forget(timezone.now() + timedelta(days=15 * 366)) > 0
    assert not Encounter.objects.exists() and not file.exists()


def test_a_size_is_the_same_however_the_picture_lies() -> None:
    ends, outline = ((0.0, 0.0), (0.0, 100.0)), [(10.0, 10.0), (50.0, 10.0), (50.0, 40.0), (10.0, 40.0)]
    turned = [(y, 200 - x) for x, y in outline]
    one, other = measuring.measure(ends, 50, outline), measuring.measure(ends, 50, turned)
    assert one == other and one is not None and (one.area, one.length, one.width) == (3.0, 2.5, 2.4)
    assert measuring.measure(((0, 0), (5, 5)), 50, outline) is None
    assert measuring.measure(ends, 50) == measuring.Measured(0.5)
