from django.db import models
from django.utils.translation import gettext_lazy as _


class Tag(models.TextChoices):
    """What a rating says besides the stars."""

    PUNCTUAL = "punctual", _("On time")
    GENTLE = "gentle", _("Gentle")
    CLEAR = "clear", _("Explained well")
    CLEAN = "clean", _("Clean work")
    KIND = "kind", _("Friendly")
    LATE = "late", _("Came late")
    ROUGH = "rough", _("Hurt me")
    UNCLEAR = "unclear", _("Explained little")
    HURRIED = "hurried", _("In a hurry")


class Complained(models.TextChoices):
    """What a complaint is about."""

    CARE = "care", _("The care itself")
    MANNER = "manner", _("How I was treated")
    TIME = "time", _("Late or did not come")
    MONEY = "money", _("Price or refund")
    PRIVACY = "privacy", _("My privacy")
    OTHER = "other", _("Something else")


class Happened(models.TextChoices):
    """The kinds of adverse events."""

    NEEDLE = "needle", _("Needle stick or sharp injury")
    FALL = "fall", _("Fall")
    INFECTION = "infection", _("Infection")
    DRUG = "drug", _("Drug error")
    BLEEDING = "bleeding", _("Bleeding")
    AGGRESSION = "aggression", _("Violence or harassment")
    TRAFFIC = "traffic", _("Traffic accident")
    OTHER = "other", _("Something else")


class Against(models.TextChoices):
    """Why one does not go to a patient any more, or does not want somebody to come."""

    UNSAFE = "unsafe", _("Unsafe there")
    HARASSMENT = "harassment", _("Harassment")
    VIOLENCE = "violence", _("Violence or threats")
    CONFLICT = "conflict", _("A conflict between the two")
    NOT_FIT = "not_fit", _("Not able to do this service there")
    KNOWN = "known", _("Known to each other privately")
    OTHER = "other", _("Something else")


class Misconduct(models.TextChoices):
    """Why no visits are booked for a patient for a time."""

    VIOLENCE = "violence", _("Violence or threats against staff")
    HARASSMENT = "harassment", _("Harassment of staff")
    DECEIT = "deceit", _("False identity or false health data")
    UNSAFE = "unsafe", _("Made the visit unsafe and did not change it")
    OTHER = "other", _("Something else")


SERIOUS = (1, 2)
"""The grades of adverse events that are told at once; see `national/incidents.json`."""
