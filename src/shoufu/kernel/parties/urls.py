from django.urls import path

from shoufu.kernel.parties import pages

app_name = "parties"

urlpatterns = [
    path("people/", pages.people, name="people"),
    path("people/<int:person_id>", pages.person, name="person"),
    path("vehicles/", pages.vehicles, name="vehicles"),
]
