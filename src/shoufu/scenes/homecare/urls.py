from django.urls import include, path

app_name = "homecare"

urlpatterns = [
    path("register/", include("shoufu.scenes.homecare.register.urls")),
    path("assessment/", include("shoufu.scenes.homecare.assessment.urls")),
]
