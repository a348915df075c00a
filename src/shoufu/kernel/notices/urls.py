from django.urls import path

from shoufu.kernel.notices import pages

app_name = "notices"

urlpatterns = [
    path("", pages.inbox, name="inbox"),
    path("deliveries", pages.deliveries, name="deliveries"),
    path("read", pages.read, name="read"),
]
