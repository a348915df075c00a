from django.urls import path

from shoufu.scenes.community.welfare.pages import desk, mine, office

app_name = "welfare"

urlpatterns = [
    path("", desk.listing, name="desk"),
    path("checks/<int:check_id>/", desk.check, name="check"),
    path("people/", office.people, name="people"),
    path("people/join/", office.join, name="join"),
    path("people/<int:watch_id>/", office.person, name="person"),
    path("sensors/", office.sensors, name="sensors"),
    path("sensors/<int:sensor_id>/remove", office.remove_sensor, name="sensor-remove"),
    path("steps/", office.steps, name="steps"),
    path("mine/", mine.mine, name="mine"),
    path("mine/act", mine.act, name="act"),
    path("mine/ask/", mine.ask, name="ask"),
    path("mine/<int:check_id>/fine", mine.fine, name="fine"),
    path("family/<int:check_id>/answer", mine.answer, name="answer"),
]
