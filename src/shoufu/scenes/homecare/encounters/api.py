"""/api/homecare/encounters/…"""

from ninja import Router

router = Router(tags=["homecare"])
