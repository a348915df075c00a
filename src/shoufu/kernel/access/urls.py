from django.urls import path

from shoufu.kernel.access import pages

app_name = "access"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("new", pages.create, name="new"),
    path("<int:user_id>", pages.account, name="account"),
    path("<int:user_id>/<str:name>", pages.act, name="act"),
]
