from django.urls import path

from shoufu.kernel.audit import pages

app_name = "audit"

urlpatterns = [path("", pages.listing, name="list"), path("verify", pages.verify, name="verify")]
