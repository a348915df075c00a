"""The typed interface of the scene: /api/homecare/…"""

from ninja import Router

from shoufu.scenes.homecare.assessment.api import router as assessment
from shoufu.scenes.homecare.register.api import router as register

router = Router()
router.add_router("/register", register)
router.add_router("/assessment", assessment)
