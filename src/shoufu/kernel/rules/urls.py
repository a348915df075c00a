from django.urls import path

from shoufu.kernel.rules import pages

app_name = "rules"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("new", pages.create, name="new"),
    path("<int:rule_id>", pages.detail, name="detail"),
    path("<int:rule_id>/check", pages.check, name="check"),
    path("<int:rule_id>/save", pages.save, name="save"),
    path("<int:rule_id>/activate", pages.activate, name="activate"),
    path("<int:rule_id>/retire", pages.retire, name="retire"),
    path("rehearsals/<int:rehearsal_id>", pages.rehearsal, name="rehearsal"),
]
