from django.urls import path

from shoufu.scenes.homecare.encounters.pages import mine, phone, sos, staff

app_name = "encounters"

urlpatterns = [
    path("", staff.encounters, name="list"),
    path("<int:encounter_id>/", staff.encounter, name="detail"),
    path("<int:encounter_id>/photos/<uuid:photo_id>", staff.picture, name="photo"),
    path("conflicts/", staff.conflicts, name="conflicts"),
    path("conflicts/<uuid:operation_id>/", staff.conflict, name="conflict"),
    path("alarms/", staff.alarms, name="alarms"),
    path("sos/<uuid:sos_id>/", sos.sos, name="sos"),
    path("rules/<int:institution_id>/", staff.rules_page, name="rules"),
    path("mine/", mine.mine, name="mine"),
    path("mine/<int:encounter_id>/", mine.my_encounter, name="my-encounter"),
    path("mine/<int:encounter_id>/photos/<uuid:photo_id>", mine.my_picture, name="my-photo"),
    path("phone/", phone.phone, name="phone"),
    path("phone/manifest.webmanifest", phone.manifest, name="manifest"),
    path("phone/sw.js", phone.worker, name="worker"),
]
