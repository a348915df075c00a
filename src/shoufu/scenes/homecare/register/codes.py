"""The words of the register that are lists: skills, titles, flags of contraindication."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Profession(models.TextChoices):
    NURSE = "nurse", _("Registered nurse")
    TCM_PHYSICIAN = "tcm_physician", _("Physician of Chinese medicine")
    PHYSICIAN = "physician", _("Physician")
    THERAPIST = "therapist", _("Rehabilitation therapist")


class Rank(models.IntegerChoices):
    """The five ranks of health titles (卫生专业技术资格)."""

    JUNIOR = 1, _("Junior (士)")
    MEMBER = 2, _("Qualified (师)")
    INTERMEDIATE = 3, _("Intermediate (主管/主治)")
    ASSOCIATE = 4, _("Associate senior (副主任)")
    SENIOR = 5, _("Senior (主任)")


TITLES = {
    "nurse": (
        ("护士", "Nurse"),
        ("护师", "Primary nurse"),
        ("主管护师", "Nurse-in-charge"),
        ("副主任护师", "Associate chief nurse"),
        ("主任护师", "Chief nurse"),
    ),
    "physician": (
        ("执业助理医师", "Assistant physician"),
        ("医师", "Physician"),
        ("主治医师", "Attending physician"),
        ("副主任医师", "Associate chief physician"),
        ("主任医师", "Chief physician"),
    ),
    "tcm_physician": (
        ("中医助理医师", "Assistant physician of Chinese medicine"),
        ("中医师", "Physician of Chinese medicine"),
        ("中医主治医师", "Attending physician of Chinese medicine"),
        ("副主任中医师", "Associate chief physician of Chinese medicine"),
        ("主任中医师", "Chief physician of Chinese medicine"),
    ),
    "therapist": (
        ("康复技士", "Junior therapist"),
        ("康复技师", "Therapist"),
        ("主管技师", "Therapist-in-charge"),
        ("副主任技师", "Associate chief therapist"),
        ("主任技师", "Chief therapist"),
    ),
}


def title(profession: str, rank: int) -> str:
    """The title in the reader's language: 主管护师, "Nurse-in-charge"."""
    names = TITLES.get(profession, TITLES["nurse"])[min(max(rank, 1), 5) - 1]
    return names[1] if (get_language() or "").startswith("en") else names[0]


class Skill(models.TextChoices):
    WOUND = "wound", _("Wound care")
    CATHETER = "catheter", _("Catheter care")
    STOMA = "stoma", _("Stoma care")
    INJECTION = "injection", _("Injections")
    VENOUS = "venous", _("Venous lines (PICC, port)")
    ACUPUNCTURE = "acupuncture", _("Acupuncture and moxibustion")
    TUINA = "tuina", _("Tuina")
    REHABILITATION = "rehabilitation", _("Rehabilitation")
    CHRONIC = "chronic", _("Chronic diseases")
    HOSPICE = "hospice", _("Hospice care")


class Flag(models.TextChoices):
    """What can speak against a service at home."""

    BLEEDING = "bleeding", _("Bleeding tendency or anticoagulants")
    PREGNANT = "pregnant", _("Pregnancy")
    PACEMAKER = "pacemaker", _("Pacemaker or other implant")
    INFECTIOUS = "infectious", _("Infectious disease that must be isolated")
    FEVER = "fever", _("Fever without a known cause")
    UNSTABLE = "unstable", _("Unstable vital signs")
    SKIN = "skin", _("Broken skin at the place of treatment")
    PSYCHIATRIC = "psychiatric", _("Acute psychiatric disorder")
    DRUG_ALLERGY = "drug_allergy", _("Allergy to the drug")
    LATEX = "latex", _("Latex allergy")


class Transport(models.TextChoices):
    WALK = "walk", _("On foot")
    BICYCLE = "bicycle", _("Bicycle")
    EBIKE = "ebike", _("Electric bicycle")
    TRANSIT = "transit", _("Bus or rail")
    CAR = "car", _("Car")
