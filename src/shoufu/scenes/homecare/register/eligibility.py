"""Who may do a service for a patient: pure, without the database or the clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from shoufu.kernel.places.datum import distance
from shoufu.scenes.homecare.register.national import Rule


@dataclass(frozen=True)
class Performer:
    """What a service asks of who does it. No professions: any; every one of `skills` is needed."""

    professions: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    least_rank: int = 1
    least_years: int = 0


@dataclass(frozen=True)
class Practice:
    """A practitioner's facts on the day: their own days are those of the institution's place."""

    institution: int
    profession: str
    rank: int
    clinical_since: date
    licence_last_day: date
    skills: frozenset[str] = frozenset()
    verified: bool = True
    suspended: bool = False
    left: bool = False
    base: tuple[float, float] | None = None
    radius: float = 0.0


@dataclass(frozen=True)
class Cared:
    """A patient's facts: flags of contraindication (None: not known), position (longitude, latitude) where known."""

    institution: int
    flags: frozenset[str] | None = frozenset()
    at: tuple[float, float] | None = None
    ended: bool = False
    inside: bool = True


@dataclass(frozen=True)
class Asked:
    """A service on the day: `published` says whether a version holds, `assessed` whether one is valid for the patient
    ("valid", "missing", "lapsed", "unfit", "needs_visit" or "not_needed")."""

    institution: int
    performer: Performer
    contraindications: frozenset[str] = frozenset()
    licence_last_day: date = date.max
    suspended: bool = False
    published: bool = True
    assessed: str = "not_needed"


@dataclass(frozen=True)
class Reason:
    """Why not: a code of `words.REASONS`, and what its sentence names."""

    code: str
    about: dict[str, object] = field(default_factory=dict)


def full_years(since: date, day: date) -> int:
    """Whole years from one day to another; who began on 29 February has their day on 1 March."""
    return day.year - since.year - ((day.month, day.day) < (since.month, since.day))


@lru_cache(maxsize=1 << 15)
def metres(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Great-circle distance of two positions (longitude, latitude in degrees). Kept: people and homes stay where they
    are, and each question for free times asks for all of them."""
    return distance(here, there)


def usable(practice: Practice, day: date) -> Iterator[Reason]:
    """What keeps a practitioner from any work on a day."""
    if practice.left:
        yield Reason("left")
    if not practice.verified:
        yield Reason("unverified")
    if practice.licence_last_day < day:
        yield Reason("licence_ended", {"day": practice.licence_last_day.isoformat()})
    if practice.suspended:
        yield Reason("suspended")


def eligible(asked: Asked, practice: Practice, cared: Cared, day: date, rule: Rule | None) -> list[Reason]:
    """Every reason for which this practitioner may not do this service for this patient on a day; none: they may.

    `rule` is what the state asks of the practitioner's profession on that day.
    """
    return [*of_service(asked, day), *of_patient(asked, cared), *of_person(asked, practice, cared, day, rule)]


def of_person(asked: Asked, practice: Practice, cared: Cared, day: date, rule: Rule | None) -> list[Reason]:
    """What in the practitioner speaks against it, whatever else does: for planning what was found fit before."""
    return [*usable(practice, day), *_able(asked, practice, day, rule), *_near(practice, cared)]


def of_service(asked: Asked, day: date) -> Iterator[Reason]:
    """What keeps anybody from doing the service on a day."""
    if not asked.published:
        yield Reason("not_published")
    if asked.licence_last_day < day:
        yield Reason("institution_licence_ended", {"day": asked.licence_last_day.isoformat()})
    if asked.suspended:
        yield Reason("institution_suspended")


def of_patient(asked: Asked, cared: Cared) -> Iterator[Reason]:
    """What in the patient speaks against the service, whoever does it."""
    if cared.ended:
        yield Reason("patient_ended")
    if cared.institution != asked.institution:
        yield Reason("patient_elsewhere")
    if not cared.inside:
        yield Reason("outside_area")
    if cared.flags is None:
        yield Reason("flags_unknown")
    elif against := sorted(asked.contraindications & cared.flags):
        yield Reason("contraindicated", {"flags": against})
    if asked.assessed not in ("valid", "not_needed"):
        yield Reason(f"assessment_{asked.assessed}")


def _able(asked: Asked, practice: Practice, day: date, rule: Rule | None) -> Iterator[Reason]:
    who = asked.performer
    if practice.institution != asked.institution:
        yield Reason("other_institution")
    if who.professions and practice.profession not in who.professions:
        yield Reason("wrong_profession", {"professions": list(who.professions)})
    if missing := [skill for skill in who.skills if skill not in practice.skills]:
        yield Reason("skills_missing", {"skills": missing})
    years = full_years(practice.clinical_since, day)
    least_rank, least_years = who.least_rank, who.least_years
    if rule is not None:
        least_rank, least_years = max(least_rank, rule.least_rank), max(least_years, rule.least_years)
    if practice.rank < least_rank:
        yield Reason("rank_too_low", {"profession": practice.profession, "rank": least_rank})
    if years < least_years:
        yield Reason("too_few_years", {"years": years, "least": least_years})


def _near(practice: Practice, cared: Cared) -> Iterator[Reason]:
    if practice.base is None or cared.at is None:
        return
    far = metres(practice.base, cared.at)
    if far > practice.radius:
        yield Reason("too_far", {"metres": round(far), "radius": round(practice.radius)})


def texts(reasons: Sequence[Reason]) -> list[str]:
    """The codes alone."""
    return [reason.code for reason in reasons]
