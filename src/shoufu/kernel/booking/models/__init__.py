from shoufu.kernel.booking.models.bookings import Allocation, Booking, BookingEvent, Request, Tally, WaitingEntry
from shoufu.kernel.booking.models.offerings import Offering, Requirement, Terms
from shoufu.kernel.booking.models.resources import AvailabilityRule, Override, Resource

__all__ = [
    "Allocation",
    "AvailabilityRule",
    "Booking",
    "BookingEvent",
    "Offering",
    "Override",
    "Request",
    "Requirement",
    "Resource",
    "Tally",
    "Terms",
    "WaitingEntry",
]
