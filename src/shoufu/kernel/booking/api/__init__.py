"""/api/booking/…: offerings with their free slots, resources with their hours, bookings, and who waits."""

from ninja import Router

from shoufu.kernel.booking.api.bookings import router as bookings
from shoufu.kernel.booking.api.offerings import router as offerings
from shoufu.kernel.booking.api.resources import router as resources

router = Router()
router.add_router("", offerings)
router.add_router("", resources)
router.add_router("", bookings)
