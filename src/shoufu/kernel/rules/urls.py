from django.urls import path

from shoufu.kernel.rules import pages
from shoufu.kernel.rules.learning import pages as learning

app_name = "rules"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("new", pages.create, name="new"),
    path("<int:rule_id>", pages.detail, name="detail"),
    path("<int:rule_id>/check", pages.check, name="check"),
    path("<int:rule_id>/save", pages.save, name="save"),
    path("<int:rule_id>/activate", pages.activate, name="activate"),
    path("<int:rule_id>/retire", pages.retire, name="retire"),
    path("proposals", learning.listing, name="proposals"),
    path("proposals/recount", learning.recount, name="recount"),
    path("<int:rule_id>/proposals/try", learning.try_one, name="try_proposal"),
    path("<int:rule_id>/proposals/decline", learning.decline, name="decline_proposal"),
    path("rehearsals/<int:rehearsal_id>", pages.rehearsal, name="rehearsal"),
]
