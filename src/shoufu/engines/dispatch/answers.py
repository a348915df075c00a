"""What the functions of this package answer and are told, without what computes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from shoufu.engines.dispatch.model import Plan, Problem


@dataclass(frozen=True)
class Offer:
    """A place for a visit that keeps every hard limit of everybody."""

    visit: str
    caregivers: tuple[str, ...]
    starts: tuple[float, ...]
    """Of each task."""
    extra_cost: float
    """Cost of the plan with the visit less cost without."""
    extra_tardiness: float
    """Minutes of tardiness added, of this visit and of others."""
    position: float
    """Where it stands in `Plan.order`: the index of the visit behind it, as a fraction between two."""


class Code(StrEnum):
    """What stands against it. The numbers of a reason, by code:

    skill_missing: `what` the skill · refused · fixed_to: `what` who does it
    window_closed: earliest, opens, last · off_shift: begin, end (back at the office), shift_start, shift_end
    overlap: `what` the visit; start, end, wanted_start, wanted_end · on_break: the same, of the time within which
    the break must be held
    travel_too_long: `what` the visit before or after (empty: the office); needed, available
    sync_impossible: `what` the other service, which nobody can do at the right time
    no_room: would fit for itself, but pushes later visits over their limits
    """

    SKILL_MISSING = "skill_missing"
    REFUSED = "refused"
    FIXED_TO = "fixed_to"
    WINDOW_CLOSED = "window_closed"
    OFF_SHIFT = "off_shift"
    OVERLAP = "overlap"
    ON_BREAK = "on_break"
    TRAVEL_TOO_LONG = "travel_too_long"
    SYNC_IMPOSSIBLE = "sync_impossible"
    NO_ROOM = "no_room"


@dataclass(frozen=True)
class Reason:
    """One reason. `numbers` has names and minutes."""

    code: Code
    visit: str
    caregiver: str
    task: int
    what: str = ""
    """The skill, visit or caregiver that the code speaks of."""
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """Either it can be done (`offer`, the cheapest place) or there are reasons why not."""

    possible: bool
    offer: Offer | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Late:
    """A caregiver can travel and work only from `until`."""

    caregiver: str
    until: float


@dataclass(frozen=True)
class Ill:
    """A caregiver does nothing any more that has not begun."""

    caregiver: str


@dataclass(frozen=True)
class Cancelled:
    """A visit is not wanted any more."""

    visit: str


Event = Late | Ill | Cancelled


@dataclass(frozen=True)
class Replanned:
    """The answer to an event."""

    problem: Problem
    """The day as it is now, for `violations`, `insert` and the next `replan`."""
    plan: Plan
    first: Plan
    """The first feasible answer, before it was improved."""
    first_seconds: float
    moved: tuple[str, ...]
    """Visits with another caregiver or a start that changed by more than the tolerance; without delays of visits that
    a late caregiver keeps, and without those that could not be planned any more."""
