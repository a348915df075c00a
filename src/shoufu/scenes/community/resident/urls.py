from django.urls import path

from shoufu.scenes.community.resident import pages
from shoufu.scenes.community.resident.pages import doors, family, own, requests, visits, worker

app_name = "resident"

urlpatterns = [
    path("", pages.home, name="home"),
    path("asked/", pages.asked, name="asked"),
    path("view/", pages.view, name="view"),
    path("acting/", pages.acting, name="acting"),
    path("sos/", requests.sos, name="sos"),
    path("visitors/", visits.listing, name="visitors"),
    path("visitors/invite/", visits.invite, name="invite"),
    path("visitors/<int:visit_id>/", visits.visit, name="visit"),
    path("visitors/<int:visit_id>/act", visits.act, name="visit-act"),
    path("door/", doors.door, name="door"),
    path("door/enrol", doors.enrol, name="enrol"),
    path("door/<int:point_id>/open", doors.open_door, name="open"),
    path("door/lost/<int:credential_id>", doors.lost, name="lost"),
    path("door/pin", doors.pin, name="pin"),
    path("car/", own.car, name="car"),
    path("notices/", own.notices, name="notices"),
    path("requests/", requests.listing, name="requests"),
    path("requests/new/<str:kind>/", requests.new, name="request-new"),
    path("requests/<int:request_id>/", requests.request_page, name="request"),
    path("requests/<int:request_id>/pictures/<uuid:media_id>", requests.picture, name="picture"),
    path("me/", own.me, name="me"),
    path("looks/", own.looks, name="looks"),
    path("data/", own.data, name="data"),
    path("family/", family.family, name="family"),
    path("family/<int:delegation_id>/end", family.end, name="family-end"),
    path("contacts/", family.contacts, name="contacts"),
    path("contacts/<int:contact_id>/remove", family.remove, name="contact-remove"),
    path("office/", doors.office, name="office"),
    path("manifest.webmanifest", worker.manifest, name="manifest"),
    path("sw.js", worker.script, name="worker"),
    path("offline/", worker.offline, name="offline"),
]
