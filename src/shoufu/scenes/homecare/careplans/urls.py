from django.urls import path

from shoufu.scenes.homecare.careplans.pages import editing, letters, mine, staff

app_name = "careplans"

urlpatterns = [
    path("", staff.plan_list, name="list"),
    path("<int:plan_id>/", staff.detail, name="plan"),
    path("<int:plan_id>/edit/", editing.edit, name="edit"),
    path("<int:plan_id>/follow-up/", staff.follow_up, name="follow-up"),
    path("<int:plan_id>/handover/", letters.new, name="handover-new"),
    path("patients/<int:patient_id>/new/", editing.new, name="new"),
    path("patients/<int:patient_id>/enter/<slug:kind>/", staff.enter, name="enter"),
    path("patients/<int:patient_id>/trend/<slug:kind>/", staff.trend, name="trend"),
    path("handovers/", letters.letter_list, name="handovers"),
    path("handovers/<int:handover_id>/", letters.letter, name="handover"),
    path("handovers/<int:handover_id>/letter.pdf", letters.pdf, name="handover-pdf"),
    path("mine/", mine.mine, name="mine"),
    path("mine/<int:patient_id>/enter/<slug:kind>/", mine.enter, name="my-enter"),
    path("mine/<int:patient_id>/trend/<slug:kind>/", mine.trend, name="my-trend"),
    path("mine/tasks/<int:task_id>/done", mine.done, name="my-done"),
    path("mine/readings/<uuid:reading_id>/wrong", mine.wrong, name="my-wrong"),
]
