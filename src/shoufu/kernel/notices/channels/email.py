import smtplib
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.notices.channels.errors import NotSent
from shoufu.kernel.notices.models import Endpoint, Notice


def check(address: dict[str, Any]) -> None:
    """`{"to": "name@example.org"}`"""
    try:
        validate_email(str(address.get("to", "")))
    except ValidationError as error:
        raise Invalid.one("address.to", _("Give an e-mail address such as name@example.org.")) from error


def send(notice: Notice, endpoint: Endpoint) -> None:
    """By SMTP (RFC 5321) at SHOUFU_SMTP_URL; the Message-ID is the notice's id, so a repeat can be told."""
    if not settings.SMTP_CONFIGURED:
        raise NotSent("no mail server is set; set SHOUFU_SMTP_URL")
    headers = {"Message-ID": f"<{notice.pk}@shoufu>", "Auto-Submitted": "auto-generated"}
    message = EmailMessage(notice.subject, notice.body, to=[endpoint.address["to"]], headers=headers)
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"mail server: {error}") from error
