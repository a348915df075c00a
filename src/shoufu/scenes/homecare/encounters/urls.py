from django.urls import path

from shoufu.scenes.homecare.encounters.pages import phone

app_name = "encounters"

urlpatterns = [
    path("phone/", phone.phone, name="phone"),
    path("phone/manifest.webmanifest", phone.manifest, name="manifest"),
    path("phone/sw.js", phone.worker, name="worker"),
]
