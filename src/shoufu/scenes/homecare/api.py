"""The typed interface of the scene: /api/homecare/…"""

from ninja import Router

from shoufu.scenes.homecare.assessment.api import router as assessment
from shoufu.scenes.homecare.careplans.api import router as careplans
from shoufu.scenes.homecare.encounters.api import router as encounters
from shoufu.scenes.homecare.fhir.api import router as fhir
from shoufu.scenes.homecare.planning.api import router as planning
from shoufu.scenes.homecare.quality.api import router as quality
from shoufu.scenes.homecare.register.api import router as register
from shoufu.scenes.homecare.visits.api import router as visits

router = Router()
router.add_router("/register", register)
router.add_router("/assessment", assessment)
router.add_router("/visits", visits)
router.add_router("/planning", planning)
router.add_router("/encounters", encounters)
router.add_router("/careplans", careplans)
router.add_router("/quality", quality)
router.add_router("/fhir", fhir)
