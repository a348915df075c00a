"""The typed interface of the scene: /api/community/…"""

from ninja import Router

from shoufu.scenes.community.vehicles.api import router as vehicles

router = Router()
router.add_router("/vehicles", vehicles)
