"""Why a visit cannot be booked or begun, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from shoufu.scenes.homecare.register import words
from shoufu.scenes.homecare.register.eligibility import Reason

if TYPE_CHECKING:
    from shoufu.scenes.homecare.visits.services.outlook import Limit

REASONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "died": lambda a: _("The patient has died."),
    "prescription_missing": lambda a: _("A prescription is needed."),
    "prescription_unchecked": lambda a: _("Nobody has checked the original of the prescription yet."),
    "prescription_revoked": lambda a: _("The prescription was revoked."),
    "prescription_early": lambda a: _("The prescription holds from %(day)s.") % a,
    "prescription_lapsed": lambda a: _("The prescription lapsed on %(day)s.") % a,
    "prescription_used": lambda a: _("The prescription has been used up (%(uses)s visits).") % a,
    "version_changed": lambda a: _("On that day another version of the service holds; book it anew."),
    "nobody_assigned": lambda a: _("Nobody is assigned to it."),
    "absent": lambda a: _("Away at that time."),
}


def sentence(reason: Reason) -> str:
    """A reason in the reader's language."""
    own = REASONS.get(reason.code)
    return own(reason.about) if own is not None else words.sentence(reason)


def sentences(reasons: Iterable[Reason]) -> str:
    """Several reasons as one text."""
    return " ".join(sentence(one) for one in reasons)


def of_code(code: str) -> str:
    """What a kept code says where its figures are not known any more."""
    said = {
        "licence_ended": _("The licence of who was to come ended."),
        "institution_licence_ended": _("The institution's licence ended."),
        "contraindicated": _("Something speaks against it now; it must be assessed anew."),
        "prescription_lapsed": _("The prescription lapsed."),
        "prescription_early": _("The prescription does not hold yet."),
        "prescription_used": _("The prescription has been used up."),
        "left": _("Who was to come no longer works for the institution."),
        "unverified": _("The licence of who was to come is not verified."),
        "suspended": _("Who was to come is suspended."),
        "absent": _("Who was to come is away at that time."),
    }
    return said.get(code) or sentence(Reason(code))


def of_limit(limit: Limit, free: bool) -> list[str]:
    """What the end of a paper means for the times of a service, of which some are `free` or none."""
    found = [_valid(limit)]
    if not free and not limit.ended:
        found.append(_("The first day that can be booked comes after it.") if limit.before_all else _taken())
    if limit.later:
        found.append(_anew(limit))
    elif not free:
        found.append(_("Nobody can come after it either."))
    return found


def _taken() -> str:
    return _("Until then all times are taken.")


def _anew(limit: Limit) -> str:
    if limit.paper == "assessment":
        return _("With a new assessment, times after it can be booked.")
    return _("With a new prescription, times after it can be booked.")


def _valid(limit: Limit) -> str:
    about = {"day": limit.last_day.isoformat()}
    if limit.paper == "assessment":
        ended, valid = _("The assessment was valid until %(day)s."), _("The assessment is valid until %(day)s.")
    else:
        ended, valid = _("The prescription was valid until %(day)s."), _("The prescription is valid until %(day)s.")
    return (ended if limit.ended else valid) % about
