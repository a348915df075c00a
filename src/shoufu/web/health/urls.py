from django.urls import path

from shoufu.web.health import pages

urlpatterns = [path("", pages.health, name="health")]
