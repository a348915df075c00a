from django.urls import path

from shoufu.kernel.observations import pages

app_name = "observations"

urlpatterns = [path("", pages.feed, name="feed"), path("names", pages.names, name="names")]
