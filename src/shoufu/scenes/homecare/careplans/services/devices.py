"""Home devices: which measures whom, and their readings out of the observation log.

The log holds them for three days and nobody has the right to see them there. Cursor and readings are one transaction:
killed at any moment, the next run begins again and comes to the same (the id of the observation is the reading's).
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound, Problem
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations import reader
from shoufu.kernel.observations.models import Consumer
from shoufu.kernel.observations.wire import BatchRow
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import HomeDevice, Reading
from shoufu.scenes.homecare.careplans.services import readings
from shoufu.scenes.homecare.careplans.services.common import act, running, writer
from shoufu.scenes.homecare.register.models import Patient

log = logging.getLogger(__name__)
NAME = "homecare.careplans"
AT_ONCE = 2_000
PREFIX = "health."


@transaction.atomic
def bind(actor: Actor, patient_id: int, code: str) -> HomeDevice:
    """Say that a sensor of the patient's home, or a shared one, measures them. Conflict while it measures somebody."""
    patient = selectors.patient(actor, patient_id)
    require_anywhere(actor, selectors.WRITE)
    running(patient)
    writer(actor, patient)
    rows = Device.objects.filter(code=code.strip(), kind=Device.Kind.SENSOR, retired_at__isnull=True)
    device = rows.filter(selectors.around(patient)).first()
    if device is None:
        raise Invalid.one("device", _("No sensor of this home has this code; register it under Devices first."))
    try:
        with transaction.atomic():
            row = HomeDevice.objects.create(device=device, patient=patient, since=timezone.now(), by_id=actor.user_id)
    except IntegrityError as error:
        raise Conflict(_("This device measures somebody already; release it there first.")) from error
    record(actor, act("homecare.device.bind", row, patient, device=device.pk))
    return row


@transaction.atomic
def release(actor: Actor, binding_id: int) -> HomeDevice:
    """The device measures the patient no longer; what it says from now on is nobody's."""
    rows = HomeDevice.objects.select_related("patient__place").filter(until__isnull=True)
    row = rows.filter(pk=binding_id, patient__in=selectors.patients(actor, ended=True).values("pk")).first()
    if row is None:
        raise NotFound(_("There is no device %(id)s that you may see.") % {"id": binding_id})
    require_anywhere(actor, selectors.WRITE)
    writer(actor, row.patient)
    row.until = timezone.now()
    row.save(update_fields=["until"])
    record(actor, act("homecare.device.release", row, row.patient, device=row.device_id))
    return row


def read() -> int:
    """Take what came in since the last time; how many readings are new. Begins with the end of the log."""
    count = 0
    while True:
        steps, fresh = _step()
        count += fresh
        if not steps:
            return count


@transaction.atomic
def _step() -> tuple[int, int]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    last = reader.last_number(raw)
    consumer, made = Consumer.objects.select_for_update().get_or_create(name=NAME, defaults={"last_batch": last})
    if made or consumer.last_batch >= last:
        return 0, 0
    until = min(last, consumer.last_batch + AT_ONCE)
    bound = list(HomeDevice.objects.filter(patient__ended_at__isnull=True).select_related("patient", "device"))
    found = reader.of_devices(raw, consumer.last_batch, until, sorted({one.device_id for one in bound}))
    fresh = sum(_take(bound, row) for _number, _known, row in found if row.kind.startswith(PREFIX))
    steps = until - consumer.last_batch
    consumer.last_batch = until
    consumer.save()
    return steps, fresh


def _take(bound: Sequence[HomeDevice], row: BatchRow) -> int:
    at = datetime.fromtimestamp(row.t, UTC)
    fitting = [one for one in bound if one.device_id == row.device_id and one.since <= at]
    mine = next((one for one in fitting if one.until is None or at < one.until), None)
    if mine is None:
        return 0
    result = dict(row.result)
    patient = Patient.objects.select_for_update(of=("self",)).select_related(
        "person", "place", "institution__place", "institution__organisation"
    )
    try:
        kind = row.kind.removeprefix(PREFIX)
        context = result.pop("context", "") or ("random" if chronic.KINDS[kind].contexts else "")
        draft = readings.ReadingDraft(row.id, kind, result, at, context)
        with transaction.atomic():
            added = readings.keep(SYSTEM, patient.get(pk=mine.patient_id), draft, Reading.Source.DEVICE, mine.device)
    except Problem:
        # Passed the schema and still no reading (the two pressures mixed up): the device's own count shows it.
        return 0
    except Exception:  # a reading that breaks us must not keep everybody's later ones: it stays in the log
        log.exception("reading %s of device %s was not taken", row.id, row.device_id)
        return 0
    return int(added.fresh)
