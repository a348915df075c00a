from django.urls import path

from shoufu.kernel.privacy import pages

app_name = "privacy"

urlpatterns = [
    path("", pages.home, name="home"),
    path("looks/", pages.looks, name="looks"),
    path("looks/object", pages.objection, name="object"),
    path("consents/", pages.consents, name="consents"),
    path("copies/", pages.copies, name="copies"),
    path("copies/file", pages.copy_file, name="copy"),
    path("correct/", pages.correct, name="correct"),
    path("family/", pages.family, name="family"),
    path("requests/", pages.requests, name="requests"),
    path("requests/<int:request_id>/", pages.request_detail, name="request"),
    path("register/", pages.processing, name="register"),
    path("register/pack", pages.pack, name="pack"),
]
