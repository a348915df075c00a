from django.urls import path

from shoufu.scenes.homecare.visits.pages import mine, staff

app_name = "visits"

urlpatterns = [
    path("", staff.visits, name="list"),
    path("<int:visit_id>/", staff.visit, name="visit"),
    path("<int:visit_id>/move/", staff.move, name="move"),
    path("patients/<int:patient_id>/book/", staff.book, name="book"),
    path("patients/<int:patient_id>/prescription/", staff.new_prescription, name="prescription-new"),
    path("prescriptions/", staff.prescriptions, name="prescriptions"),
    path("prescriptions/<int:prescription_id>/", staff.prescription, name="prescription"),
    path("services/<int:service_id>/bookable/", staff.bookable, name="bookable"),
    path("institutions/<int:institution_id>/rules/", staff.rules, name="rules"),
    path("mine/", mine.mine, name="mine"),
    path("mine/<int:visit_id>/", mine.visit, name="my-visit"),
    path("mine/<int:visit_id>/pay/", mine.pay, name="my-pay"),
    path("mine/<int:visit_id>/paid/", mine.paid, name="my-paid"),
    path("mine/<int:visit_id>/move/", mine.move, name="my-move"),
    path("mine/<int:visit_id>/receipt/", mine.receipt, name="my-receipt"),
    path("mine/book/<int:patient_id>/", mine.choose, name="my-choose"),
    path("mine/book/<int:patient_id>/<int:service_id>/", mine.times, name="my-times"),
    path("mine/book/<int:patient_id>/<int:service_id>/agree/", mine.agree, name="my-agree"),
    path("mine/book/<int:patient_id>/<int:service_id>/assess/", mine.assess, name="my-assess"),
    path("mine/book/<int:patient_id>/<int:service_id>/prescription/", mine.prescribe, name="my-prescribe"),
]
