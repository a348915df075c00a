from django.urls import path

from shoufu.kernel.parties import pages

app_name = "parties"

urlpatterns = [
    path("people/", pages.people, name="people"),
    path("people/<int:person_id>", pages.person, name="person"),
    path("people/<int:person_id>/died", pages.died, name="died"),
    path("households/", pages.households, name="households"),
    path("households/<int:household_id>", pages.household, name="household"),
    path("residencies/<int:residency_id>/leave", pages.leave, name="leave"),
    path("departures/<int:departure_id>", pages.departure, name="departure"),
    path("vehicles/", pages.vehicles, name="vehicles"),
]
