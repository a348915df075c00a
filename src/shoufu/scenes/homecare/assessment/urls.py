from django.urls import path

from shoufu.scenes.homecare.assessment import pages

app_name = "assessment"

urlpatterns = [
    path("", pages.assessments, name="list"),
    path("<int:assessment_id>/", pages.detail, name="detail"),
    path("responses/<int:response_id>/", pages.fill, name="fill"),
    path("responses/<int:response_id>/score", pages.preview, name="preview"),
    path("patients/<int:patient_id>/<int:service_id>/begin", pages.begin, name="begin"),
    path("patients/<int:patient_id>/<int:service_id>/who/", pages.who, name="who"),
    path("mine/", pages.mine, name="mine"),
    path("mine/<int:patient_id>/<int:service_id>/begin", pages.my_begin, name="my-begin"),
    path("mine/responses/<int:response_id>/", pages.my_fill, name="my-fill"),
    path("mine/responses/<int:response_id>/score", pages.my_preview, name="my-preview"),
]
