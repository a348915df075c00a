from django.urls import path

from shoufu.web.profile import pages

urlpatterns = [path("", pages.profile, name="profile")]
