from django.urls import path

from shoufu.scenes.homecare.quality.pages import desk, figures, mine, people, tracing

app_name = "quality"

urlpatterns = [
    path("", figures.home, name="home"),
    path("rules/", figures.rules, name="rules"),
    path("office/", figures.office, name="office"),
    path("ratings/", desk.ratings, name="ratings"),
    path("ratings/<int:rating_id>/", desk.rating, name="rating"),
    path("complaints/", desk.complaints, name="complaints"),
    path("complaints/<int:complaint_id>/", desk.complaint, name="complaint"),
    path("incidents/", desk.incidents, name="incidents"),
    path("incidents/new/", desk.incident_new, name="incident-new"),
    path("incidents/<int:incident_id>/", desk.incident, name="incident"),
    path("refusals/", people.refusals, name="refusals"),
    path("refusals/new/", people.refuse, name="refuse"),
    path("refusals/<int:refusal_id>/", people.refusal, name="refusal"),
    path("refusals/<int:refusal_id>/back", people.take_back, name="take-back"),
    path("entries/", people.bars, name="bars"),
    path("entries/new/", people.bar_new, name="bar-new"),
    path("entries/<int:bar_id>/", people.bar, name="bar"),
    path("sanctions/", people.sanctions, name="sanctions"),
    path("sanctions/<int:sanction_id>/", people.sanction, name="sanction"),
    path("trace/", tracing.visits, name="trace"),
    path("trace/<int:visit_id>/", tracing.visit, name="trace-visit"),
    path("trace/<int:visit_id>/export", tracing.export, name="trace-export"),
    path("mine/", mine.mine, name="mine"),
    path("mine/visits/<int:visit_id>/rate/", mine.rate, name="rate"),
    path("mine/<int:patient_id>/complain/", mine.complain, name="complain"),
    path("mine/complaints/<int:complaint_id>/", mine.my_complaint, name="my-complaint"),
    path("mine/entries/<int:bar_id>/", mine.my_bar, name="my-bar"),
    path("mine/<int:patient_id>/refuse/", mine.my_refuse, name="my-refuse"),
    path("mine/refusals/<int:refusal_id>/back", mine.my_take_back, name="my-take-back"),
]
