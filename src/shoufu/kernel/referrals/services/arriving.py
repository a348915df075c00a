"""Signed messages that a destination sends back (Standard Webhooks 1.0)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shoufu.engines import cap
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Invalid, NotFound, Problem
from shoufu.kernel.referrals.models import Destination, Message, Receipt, Referral
from shoufu.kernel.referrals.services.handling import STEPS, Answer, advance

LARGEST = 256 * 1024


class Callback(msgspec.Struct, frozen=True):
    """`{"type": "referral.accepted", "data": {…}}`"""

    type: str
    data: dict[str, Any]


class Said(msgspec.Struct, frozen=True):
    """What a callback says about a referral: `number` is ours, `reference` theirs."""

    number: str
    reference: str = ""
    by: str = ""
    text: str = ""
    outcome: str = ""


def secret_of(destination: Destination) -> str:
    sealed = destination.callback_secret or destination.secret
    return keyring.ring().decrypt(bytes(sealed), b"referrals.secret").decode() if sealed else ""


def _verified(destination: Destination, body: bytes, headers: Mapping[str, str]) -> str:
    """The webhook-id of a genuine message. Problem (401) otherwise; which part was wrong is not told."""
    wanted = {name: headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    try:
        Webhook(secret_of(destination)).verify(body, wanted, json_parse=False)
    except (WebhookVerificationError, RuntimeError, ValueError) as error:
        detail = _("The signature is missing, wrong, or older than five minutes.")
        raise Problem(_("Not accepted"), detail, 401, "webhook-signature") from error
    return wanted["webhook-id"][:128]


def _read(body: bytes, content_type: str) -> tuple[str, Said]:
    if "xml" in content_type:
        return _read_cap(body)
    try:
        callback = msgspec.json.decode(body, type=Callback)
        said = msgspec.convert(callback.data, Said)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid.one("body", str(error)) from error
    step = callback.type.removeprefix("referral.")
    if step not in STEPS:
        kinds = ", ".join(f"referral.{name}" for name in STEPS)
        raise Invalid.one("type", _("Use one of: %(kinds)s.") % {"kinds": kinds})
    return step, said


def _read_cap(body: bytes) -> tuple[str, Said]:
    """A CAP message of type Ack says "received"; Error says "refused"."""
    try:
        alert = cap.from_xml(body)
    except cap.CapError as error:
        raise Invalid.one("body", str(error)) from error
    steps = {cap.MessageType.ACK: "received", cap.MessageType.ERROR: "refused"}
    if alert.type not in steps or not alert.references:
        raise Invalid.one("msgType", _("Send Ack or Error with the references of our message, or JSON."))
    found = Message.objects.filter(identifier=alert.references[-1].identifier, referral__isnull=False)
    number = found.values_list("referral__number", flat=True).first()
    if number is None:
        raise Invalid.one("references", _("We sent no such message."))
    return steps[alert.type], Said(number, alert.identifier[:64], alert.sender[:120], alert.note)


def take_callback(code: str, body: bytes, content_type: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Take in what a destination says of a referral; the same webhook-id again gets the first answer and does nothing.

    Raises Problem 401 for a signature that is not genuine, Invalid for what cannot be understood, NotFound for a
    number that was not sent there, Conflict where the referral's state does not allow it.
    """
    if len(body) > LARGEST:
        raise Invalid.one("body", _("At most %(most)s KiB.") % {"most": LARGEST // 1024})
    destination = Destination.objects.select_related("place", "organisation").filter(code=code).first()
    if destination is None or not (destination.callback_secret or destination.secret):
        raise NotFound(_("There is no such receiver."))
    identifier = _verified(destination, body, headers)
    known = Receipt.objects.filter(destination=destination, identifier=identifier).first()
    if known is not None:
        return dict(known.answer)
    step, said = _read(body, content_type)
    try:
        return _take(destination, identifier, step, said)
    except IntegrityError:
        # The same message by two ways at once: the other one was first.
        return dict(Receipt.objects.get(destination=destination, identifier=identifier).answer)


@transaction.atomic
def _take(destination: Destination, identifier: str, step: str, said: Said) -> dict[str, Any]:
    Receipt.objects.create(destination=destination, identifier=identifier, at=timezone.now())
    rows = Referral.objects.select_related("case__place", "case__device", "destination__organisation")
    referral = rows.select_for_update(of=("self",)).filter(number=said.number, destination=destination).first()
    if referral is None:
        raise NotFound(_("No case with the number %(number)s was sent to you.") % {"number": said.number})
    them = Actor(SYSTEM.kind, f"destination:{destination.pk}", destination.name)
    answer = Answer(said.by or destination.name, said.reference, said.text, said.outcome)
    advance(them, referral, step, answer)
    result = {"number": referral.number, "state": referral.state}
    Receipt.objects.filter(destination=destination, identifier=identifier).update(answer=result)
    Destination.objects.filter(pk=destination.pk).update(heard_at=timezone.now())
    return result
