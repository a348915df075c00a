from shoufu.kernel.base.scene import Scene
from shoufu.scenes.homecare.assessment.scene import part as assessment
from shoufu.scenes.homecare.register.scene import part as register

scene = Scene(
    code="homecare",
    name="互联网+居家医疗护理",
    name_en="Home care",
    group="livelihood",
    parts=(register, assessment),
    urls="shoufu.scenes.homecare.urls",
    api="shoufu.scenes.homecare.api.router",
    demo="shoufu.scenes.homecare.demo.load",
)
