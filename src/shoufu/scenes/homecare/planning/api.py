"""/api/homecare/planning/…"""

from ninja import Router

router = Router(tags=["homecare"])
