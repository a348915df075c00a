"""/api/homecare/careplans/…"""

from ninja import Router

router = Router(tags=["homecare"])
