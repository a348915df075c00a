"""/api/homecare/visits/…"""

from ninja import Router

router = Router(tags=["homecare"])
