"""What was done at the visits of the model district that are over: made-up records, and drawn pictures with a ruler."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from PIL import Image, ImageDraw

from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.media import sealed
from shoufu.scenes.homecare.encounters import checklists, documents
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Photo
from shoufu.scenes.homecare.encounters.services import RulesDraft, set_rules
from shoufu.scenes.homecare.encounters.services.common import LINE, PHOTO, keep
from shoufu.scenes.homecare.encounters.services.handlers import measured
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Visit

MOST = 60
PICTURES = 6
ALARM = "13800000999"
MINUTE = timedelta(minutes=1)
WORDS: Mapping[str, tuple[str, str, str]] = {
    "wound": (
        "骶尾部创面较上次缩小，肉芽红润，少量渗液",
        "生理盐水清洗，泡沫敷料覆盖",
        "每两小时翻身，敷料渗湿及时联系",
    ),
    "catheter": ("尿液淡黄，管路通畅，尿道口无红肿", "更换尿袋，清洁尿道口", "每天饮水，尿袋低于膀胱"),
    "stoma": ("造口红润，周围皮肤完整", "更换底盘，测量造口大小", "造口袋三分之一满时排空"),
    "injection": ("注射部位无硬结", "遵医嘱肌内注射，观察 30 分钟无不适", "如有皮疹或气短立即呼叫 120"),
    "acupuncture": ("膝关节疼痛较前减轻", "取穴足三里、阳陵泉，留针 25 分钟", "当天不洗冷水"),
}
PLAIN = ("一般情况好", "按计划完成", "按时服药，有不适随时联系")


@transaction.atomic
def load(actor: Actor) -> None:
    """Write them; a second call changes nothing. Visits that are done come from the parts that load before."""
    done = Visit.objects.filter(state=Visit.State.DONE, began_at__isnull=False, ended_at__isnull=False)
    rows = done.filter(encounters__isnull=True).select_related("patient", "place", "version", "service", "institution")
    if Encounter.objects.exists():
        return
    for office in {row.institution_id: row.institution for row in rows[:MOST]}.values():
        set_rules(actor, office.pk, RulesDraft(200, 30, ALARM))
    pictures = 0
    for n, visit in enumerate(rows.prefetch_related("stops__practitioner").order_by("-starts_at")[:MOST]):
        for stop in visit.stops.all():
            encounter = _encounter(visit, stop.practitioner, n)
            for kind, content in _written(visit, n):
                _keep(encounter, kind, content)
            if visit.service.code == "wound" and pictures < PICTURES and stop.task == 0:
                _picture(encounter, pictures)
                pictures += 1


def _encounter(visit: Visit, practitioner: Practitioner, n: int) -> Encounter:
    home = register.position(visit.place) or (None, None)
    x, y = home
    began, ended = _times(visit)
    return Encounter.objects.create(
        visit=visit,
        practitioner=practitioner,
        patient=visit.patient,
        place=visit.place,
        state=Encounter.State.FINISHED,
        checklist=checklists.newest().name,
        opened_at=began,
        in_at=began,
        in_known=began + (n % 4) * 15 * MINUTE,
        in_longitude=None if x is None else x + 0.0001 * (n % 3),
        in_latitude=None if y is None else y + 0.0001 * (n % 2),
        in_accuracy=8 + n % 9,
        in_distance=5.0 + 6 * (n % 5),
        out_at=ended,
        out_known=ended + (n % 4) * 15 * MINUTE,
        out_longitude=x,
        out_latitude=y,
        out_accuracy=9 + n % 7,
        out_distance=4.0 + 3 * (n % 4),
    )


def _times(visit: Visit) -> tuple[datetime, datetime]:
    assert visit.began_at is not None and visit.ended_at is not None
    return visit.began_at, visit.ended_at


def _written(visit: Visit, n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    skills = visit.version.performers[0]["skills"] if visit.version.performers else []
    items = checklists.newest().asked(skills)
    findings, measures, teaching = WORDS.get(visit.service.code, PLAIN)
    yield "identity", {"method": ("document", "known", "face")[n % 3]}
    yield "consent", {"service": True, "photos": True, "by": "patient", "version": visit.version.number}
    yield "checklist", {"checklist": checklists.newest().name, "answers": {item.code: "yes" for item in items}}
    values = {"systolic": 126 + 3 * (n % 9), "diastolic": 74 + 2 * (n % 7), "pulse": 66 + n % 13, "spo2": 95 + n % 4}
    yield "vitals", {"values": values | {"temperature": 36.3 + (n % 5) / 10}, "device": "蓝牙血压计" if n % 2 else ""}
    yield "record", {"findings": findings, "measures": measures, "teaching": teaching, "next": "一周后复诊"}
    used = [{k: one[k] for k in ("name", "name_en", "quantity", "unit")} for one in visit.version.materials]
    yield "consumables", {"used": used}
    strokes = [[[60, 120], [90, 60], [120, 150], [150, 70], [190, 140]], [[230, 80], [300, 130], [380, 70], [450, 120]]]
    yield "signature", {"by": "patient", "width": 600, "height": 240, "strokes": strokes}


def _keep(encounter: Encounter, kind: str, content: dict[str, Any]) -> None:
    began, ended = _times(encounter.visit)
    document = documents.plain(documents.read(kind, content))
    Entry.objects.create(
        encounter=encounter,
        kind=kind,
        number=1,
        at=ended - 5 * MINUTE if kind in ("record", "consumables", "signature") else began + 3 * MINUTE,
        known_at=ended,
        author=encounter.practitioner,
        content=keep(encounter.patient.person_id, document, LINE),
    )


def _picture(encounter: Encounter, n: int) -> None:
    """A drawn wound that gets smaller from visit to visit (the newest first), with 100 mm of a ruler below."""
    wide, high = 900 - 20 * (PICTURES - n), 620 - 16 * (PICTURES - n)
    content, outline = _drawn(wide, high)
    began, _ended = _times(encounter.visit)
    media: UUID = uuid7()
    picture = documents.read(
        "photo",
        {
            "media": str(media), "content_type": "image/jpeg", "size": len(content), "width": 1600, "height": 1200,
            "sha256": hashlib.sha256(content).hexdigest(), "subject": "wound", "site": "骶尾部", "outline": outline,
            "ruler": {"ends": [[200, 1080], [1400, 1080]], "millimetres": 100},
        },
    )  # fmt: skip
    person = encounter.patient.person_id
    secret = subjects.keys_for([person])[person]
    assert secret is not None
    kept = sealed.put(secret, media, "image/jpeg", began, content)
    Photo.objects.create(
        id=media,
        encounter=encounter,
        content_type="image/jpeg",
        size=kept.size,
        width=1600,
        height=1200,
        sha256=kept.sha256,
        detail=keep(person, documents.plain(picture) | {"measured": measured(picture)}, PHOTO),
        at=began + 8 * MINUTE,
        key=kept.key,
        kept_at=began + 9 * MINUTE,
    )


def _drawn(wide: int, high: int) -> tuple[bytes, list[list[int]]]:
    image = Image.new("RGB", (1600, 1200), (226, 188, 168))
    draw = ImageDraw.Draw(image)
    x, y = 800, 560
    box = (x - wide // 2, y - high // 2, x + wide // 2, y + high // 2)
    draw.ellipse(box, fill=(196, 92, 84))
    inner = (box[0] + 40, box[1] + 40, box[2] - 40, box[3] - 40)
    draw.ellipse(inner, fill=(160, 40, 44))
    draw.rectangle((160, 1050, 1440, 1130), fill=(245, 245, 240))
    for mark in range(101):
        at = 200 + 12 * mark
        draw.line((at, 1050, at, 1090 if mark % 10 == 0 else 1070), fill=(30, 30, 30), width=2)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    a, b = wide // 2, high // 2
    slant = ((1, 0), (0.71, 0.71), (0, 1), (-0.71, 0.71), (-1, 0), (-0.71, -0.71), (0, -1), (0.71, -0.71))
    return out.getvalue(), [[round(x + a * c), round(y + b * s)] for c, s in slant]
