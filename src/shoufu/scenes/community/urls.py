from django.urls import include, path

app_name = "community"

urlpatterns = [
    path("patrols/", include("shoufu.scenes.community.patrols.urls")),
    path("resident/", include("shoufu.scenes.community.resident.urls")),
    path("vehicles/", include("shoufu.scenes.community.vehicles.urls")),
    path("visitors/", include("shoufu.scenes.community.visitors.urls")),
    path("welfare/", include("shoufu.scenes.community.welfare.urls")),
]
