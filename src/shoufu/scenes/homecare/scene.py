from shoufu.kernel.base.scene import Scene
from shoufu.scenes.homecare.assessment.scene import part as assessment
from shoufu.scenes.homecare.careplans.scene import part as careplans
from shoufu.scenes.homecare.encounters.scene import part as encounters
from shoufu.scenes.homecare.fhir.scene import part as fhir
from shoufu.scenes.homecare.planning.scene import part as planning
from shoufu.scenes.homecare.quality.scene import part as quality
from shoufu.scenes.homecare.register.scene import part as register
from shoufu.scenes.homecare.visits.scene import part as visits

scene = Scene(
    code="homecare",
    name="互联网+居家医疗护理",
    name_en="Home care",
    group="livelihood",
    parts=(register, assessment, visits, planning, encounters, careplans, quality, fhir),
    urls="shoufu.scenes.homecare.urls",
    api="shoufu.scenes.homecare.api.router",
    demo="shoufu.scenes.homecare.demo.load",
)
