from django.urls import path

from shoufu.scenes.homecare.register.pages import catalogue, institutions, patients, portraits, practitioners

app_name = "register"

urlpatterns = [
    path("", institutions.home, name="home"),
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.new, name="patient-new"),
    path("patients/<int:patient_id>/", patients.patient, name="patient"),
    path("practitioners/", practitioners.people, name="practitioners"),
    path("practitioners/new/", practitioners.new, name="practitioner-new"),
    path("practitioners/<int:practitioner_id>/", practitioners.practitioner, name="practitioner"),
    path("practitioners/<int:practitioner_id>/portrait/<uuid:portrait_id>", portraits.portrait, name="portrait"),
    path("services/", catalogue.catalogue, name="services"),
    path("services/new/", catalogue.new, name="service-new"),
    path("services/<int:service_id>/", catalogue.service, name="service"),
    path("services/<int:service_id>/publish/", catalogue.publish, name="service-publish"),
    path("institutions/", institutions.institutions, name="institutions"),
    path("institutions/new/", institutions.new, name="institution-new"),
    path("institutions/<int:institution_id>/", institutions.institution, name="institution"),
]
