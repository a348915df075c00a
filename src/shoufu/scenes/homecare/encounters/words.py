"""The words of what is written at visits, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shoufu.engines.chronic import CONTEXTS
from shoufu.scenes.homecare.encounters.documents import VITALS

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
