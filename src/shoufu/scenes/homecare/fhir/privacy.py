"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from typing import Any

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, Retention
from shoufu.scenes.homecare.fhir.models import BulkExport, Stored
from shoufu.scenes.homecare.register.privacy import RECORDS

WHY = ("care at home, together with other programs", "与其他系统协同的居家护理")
CONNECTING = ("connecting other programs", "对接其他系统")


def _stored(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.fhir.services import exported

    return exported(row)


def _version(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.fhir.services import exported_version

    return exported_version(row)


holdings = (
    Holding(
        "homecare_fhir.storedversion",
        lambda s: Q(stored__person=s.person) | Q(key_of=s.person),
        *WHY,
        days=Stored.RETENTION_DAYS,
        duty=RECORDS,
        keep=_version,
    ),
    Holding(
        "homecare_fhir.stored",
        lambda s: Q(person=s.person),
        *WHY,
        days=Stored.RETENTION_DAYS,
        export=_stored,
        duty=RECORDS,
        title="What other programs wrote about my care",
        title_zh="其他系统写入的护理资料",
    ),
    Holding(
        "homecare_fhir.bulkexport",
        lambda s: None,
        *CONNECTING,
        BulkExport.RETENTION_DAYS,
        erase=Erase.KEEP,
        why="proof of what was handed over and why; it names nobody, and its files go within a day",
    ),
    Holding(
        "homecare_fhir.refusal",
        lambda s: None,
        *CONNECTING,
        30,
        erase=Erase.KEEP,
        why="which elements of a request were wrong; nothing of its content",
    ),
)

retentions = (
    Retention(
        "shoufu.scenes.homecare.fhir.tasks.forget",
        "what other programs wrote 15 years after its last change, refusals after 30 days",
        "其他系统写入的资料在最后更改 15 年后删除，被拒请求 30 天后删除",
    ),
)
