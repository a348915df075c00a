"""Every write of care plans, by subject: plans, readings and tasks done, findings, follow-ups, handovers, devices."""

from shoufu.scenes.homecare.careplans.services import (
    devices,
    findings,
    follow_ups,
    handovers,
    looks,
    plans,
    readings,
    reminding,
    retention,
)

__all__ = [
    "devices",
    "findings",
    "follow_ups",
    "handovers",
    "looks",
    "plans",
    "readings",
    "reminding",
    "retention",
]
