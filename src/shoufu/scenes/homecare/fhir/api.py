"""/api/homecare/fhir/…"""

from ninja import Router

router = Router(tags=["homecare"])
