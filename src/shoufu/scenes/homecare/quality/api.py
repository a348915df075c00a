"""/api/homecare/quality/…"""

from ninja import Router

router = Router(tags=["homecare"])
