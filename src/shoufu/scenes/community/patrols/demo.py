from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.patrols import services
from shoufu.scenes.community.patrols.models import Route

POINTS = ("南门岗", "1 号楼东侧", "3 号楼北侧", "地下车库入口", "配电间", "5 号楼消防栓", "8 号楼楼道口", "东门")


def load(actor: Actor) -> None:
    """A night route and a day route of the detailed compound; a second call changes nothing."""
    compound = Place.objects.filter(code="songshan").first()
    if compound is None or Route.objects.filter(place=compound).exists():
        return
    night = services.RouteDraft(compound.pk, "夜间巡更", ("22:00", "01:00", "04:00"), POINTS)
    day = services.RouteDraft(compound.pk, "日间消防巡查", ("10:00", "16:00"), POINTS[3:7])
    services.save_route(actor, night)
    services.save_route(actor, day)
    services.plan(timezone.now())
