"""The words of what is written at visits, in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from shoufu.engines.chronic import CONTEXTS
from shoufu.scenes.homecare.encounters import checklists
from shoufu.scenes.homecare.encounters.documents import VITALS
from shoufu.scenes.homecare.encounters.models import Encounter
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.words import of_code

CODES: Mapping[str, Mapping[str, str | Promise]] = {
    "method": {
        "document": _("by a document"),
        "face": _("by the face and a document"),
        "known": _("known from before"),
    },
    "result": {"match": _("is the patient"), "mismatch": _("is not the patient")},
    "by": {"patient": _("the patient"), "family": _("family"), "guardian": _("a guardian"), "nobody": _("nobody")},
    "route": {
        "oral": _("by mouth"),
        "im": _("into the muscle"),
        "iv": _("into the vein"),
        "sc": _("under the skin"),
        "topical": _("on the skin"),
        "inhaled": _("inhaled"),
        "other": _("another way"),
    },
    "subject": {
        "wound": _("Wound"),
        "skin": _("Skin"),
        "stoma": _("Stoma"),
        "device": _("Line or device"),
        "document": _("Document"),
        "other": _("Something else"),
    },
    "cause": {
        "nobody_home": _("Nobody was at home"),
        "refused": _("The patient refused"),
        "not_the_patient": _("It was not the patient"),
        "not_fit": _("Not fit for it on that day"),
        "unsafe": _("It was not safe"),
        "other": _("Another reason"),
    },
    "answer": {"yes": _("yes"), "no": _("no"), "na": _("does not apply")},
    "kind": {
        "check_in": _("Check-in"),
        "check_out": _("Check-out"),
        "photo": _("Picture"),
        "trail": _("Position trace"),
        "missed": _("Did not take place"),
        "identity": _("Identity check"),
        "consent": _("Consent"),
        "checklist": _("Checklist"),
        "record": _("Record"),
        "vitals": _("Vital signs"),
        "consumables": _("Consumables"),
        "signature": _("Signature"),
        "addendum": _("Addendum"),
    },
}


def word(field: str, code: object) -> str:
    """The word of a code; the code itself where there is none."""
    return str(CODES.get(field, {}).get(str(code), code))


def english() -> bool:
    return (get_language() or "").startswith("en")


def quantity(code: str) -> str:
    """The name of a vital sign."""
    found = VITALS.get(code)
    return code if found is None else found.text_en if english() else found.text


def context(code: str) -> str:
    """When a glucose was taken."""
    found = CONTEXTS.get(code)
    return "" if found is None else found[1] if english() else found[0]


def vitals(values: Mapping[str, float]) -> list[tuple[str, str]]:
    """Vital signs as pairs of name and figure; blood pressure as one."""
    rows = []
    if "systolic" in values and "diastolic" in values:
        rows.append((str(_("Blood pressure")), f"{values['systolic']:g}/{values['diastolic']:g} mmHg"))
    for code, found in VITALS.items():
        if code in values and code not in ("systolic", "diastolic"):
            rows.append((quantity(code), f"{values[code]:g} {found.unit}"))
    return rows


def _ticks(about: Mapping[str, Any]) -> str:
    known = checklists.versions()
    named = []
    for one in about["items"]:
        listed, _colon, code = one.partition(":")
        labels = {item.code: item.label for item in known[listed].items} if listed in known else {}
        named.append(labels.get(code, code))
    return ("; " if english() else "；").join(named)


Sentence = Callable[[Mapping[str, Any]], str]
DOUBTS: Mapping[str, Sentence] = {
    "far": lambda a: gettext("%(metres)s m from the home (up to %(radius)s m are usual), and no reason is given.") % a,
    "no_position": lambda a: gettext("There is no position, and no reason for it is given."),
    "unidentified": lambda a: gettext("Identity was not checked."),
    "mismatch": lambda a: gettext("The identity check says that it was not the patient."),
    "no_consent": lambda a: gettext("There is no consent to the service."),
    "unticked": lambda a: gettext("Not answered in the checklist: %(items)s.") % {"items": _ticks(a)},
    "no_record": lambda a: gettext("There is no record."),
    "unsigned": lambda a: gettext("Nobody signed, and it is not said why."),
    "future": lambda a: gettext("The phone says %(at)s, which had not come yet; the time of arrival is kept.") % a,
    "early": lambda a: gettext("The phone says %(at)s, but got this visit only on %(since)s.") % a,
    "before_promise": lambda a: gettext("Checked in on %(at)s; the visit is promised for %(promised)s.") % a,
    "suspended": lambda a: (
        gettext("It came after the suspension of %(since)s and says that it was written before, on %(at)s.") % a
    ),
    "left": lambda a: (
        gettext("It came after the nurse had left on %(since)s and says that it was written before, on %(at)s.") % a
    ),
    "no_right": lambda a: (
        gettext(
            "It came when the account was closed or without the right to give care, and says it was written on %(at)s."
        )
        % a
    ),
    "unlicensed": lambda a: gettext("The nurse's licence had ended on %(day)s.") % a,
    "licence": lambda a: (
        gettext("It came after the nurse's licence ended on %(day)s and says that it was written before, on %(at)s.")
        % a
    ),
}


def doubt(one: Mapping[str, Any]) -> str:
    """What is doubtful about a line, as it is kept in its problem."""
    return DOUBTS[one["code"]](one)


def _state(problem: Mapping[str, Any]) -> str:
    code = problem.get("state", "")
    return str(dict(Visit.State.choices).get(code, code))


def _ended(problem: Mapping[str, Any]) -> str:
    code = problem.get("state", "")
    said = gettext("The visit is “%(state)s” already. Write what is missing as an addendum.")
    return said % {"state": dict(Encounter.State.choices).get(code, code)}


REASONS: Mapping[str, Sentence] = {
    "doubt": lambda p: "",
    "state": lambda p: gettext("The visit itself is “%(state)s”.") % {"state": _state(p)},
    "blocked": lambda p: gettext("It must not be begun: %(why)s") % {"why": " ".join(map(of_code, p.get("codes", ())))},
    "ended": _ended,
    "twice": lambda p: gettext("It was there already."),
    "order": lambda p: gettext("There is no check-in before it."),
    "revoked": lambda p: gettext("Written after the nurse had been suspended or had left; it is not in the record."),
    "colleague": lambda p: gettext("A colleague is or was with the patient: the coordinator ends the visit."),
    "edited": lambda p: gettext("It was changed on another device meanwhile; both are kept."),
    "elsewhere": lambda p: gettext("The visit is another person's by now."),
}


def why(problem: Mapping[str, Any]) -> str:
    """Why a line was not simply taken, in the reader's language where the kept problem says enough; else in that of who
    sent it."""
    reason = REASONS.get(problem.get("reason", ""))
    said = reason(problem) if reason is not None else ""
    if reason is None:
        said = " ".join(one["message"] for one in problem.get("errors", ())) or problem.get("detail", "")
    return " ".join(part for part in (said, *map(doubt, problem.get("doubts", ()))) if part)
