"""Why somebody may not do a service, in sentences."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from shoufu.scenes.homecare.register import codes
from shoufu.scenes.homecare.register.eligibility import Reason


def names(choices: Any, values: Any) -> str:
    """The labels of some values of a list, in the reader's language."""
    return ", ".join(str(choices(value).label) if value in choices.values else value for value in values)


def _kilometres(metres: Any) -> str:
    return f"{metres / 1000:.1f}"


REASONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "left": lambda a: _("No longer works for the institution."),
    "unverified": lambda a: _("The licence has not been verified yet."),
    "licence_ended": lambda a: _("The licence ended on %(day)s.") % a,
    "suspended": lambda a: _("Suspended for now."),
    "not_published": lambda a: _("The service is not offered on that day."),
    "institution_licence_ended": lambda a: _("The institution's licence ended on %(day)s.") % a,
    "institution_suspended": lambda a: _("The institution is suspended for now."),
    "patient_ended": lambda a: _("The patient's home care has ended."),
    "patient_elsewhere": lambda a: _("Another institution cares for the patient."),
    "outside_area": lambda a: _("The patient lives outside the places that the institution serves."),
    "flags_unknown": lambda a: _("Nothing was noted yet of what speaks against it."),
    "contraindicated": lambda a: _("Contraindicated: %(flags)s.") % {"flags": names(codes.Flag, a["flags"])},
    "assessment_missing": lambda a: _("The patient has not been assessed for it yet."),
    "assessment_lapsed": lambda a: _("The assessment is no longer valid."),
    "assessment_unfit": lambda a: _("The assessment found the patient unfit for it at home."),
    "assessment_needs_visit": lambda a: _("The assessment asks for a visit first."),
    "other_institution": lambda a: _("Works for another institution."),
    "wrong_profession": lambda a: _("Must be: %(who)s.") % {"who": names(codes.Profession, a["professions"])},
    "skills_missing": lambda a: _("Lacks: %(skills)s.") % {"skills": names(codes.Skill, a["skills"])},
    "rank_too_low": lambda a: (
        _("The title must be %(title)s or above.") % {"title": codes.title(a["profession"], a["rank"])}
    ),
    "too_few_years": lambda a: _("%(years)s years of clinical work; %(least)s are needed.") % a,
    "too_far": lambda a: (
        _("%(far)s km away; goes as far as %(radius)s km.")
        % {"far": _kilometres(a["metres"]), "radius": _kilometres(a["radius"])}
    ),
}


def sentence(reason: Reason) -> str:
    """A reason in the reader's language."""
    return REASONS[reason.code](reason.about)
