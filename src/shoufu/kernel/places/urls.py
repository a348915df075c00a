from django.urls import path

from shoufu.kernel.places import pages

app_name = "places"

urlpatterns = [path("", pages.listing, name="list"), path("<int:place_id>", pages.detail, name="detail")]
