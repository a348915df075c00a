"""/api/booking/…: offerings with their free slots, resources with their hours, bookings, and who waits."""

from shoufu.kernel.booking.api import bookings, offerings, resources
from shoufu.kernel.booking.api.common import router

__all__ = ["bookings", "offerings", "resources", "router"]
