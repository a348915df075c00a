from django.urls import path

from shoufu.kernel.doors.pages import credentials, levels, others, point_form, points

app_name = "doors"

urlpatterns = [
    path("", points.listing, name="list"),
    path("new", point_form.new, name="new"),
    path("<int:point_id>", points.detail, name="detail"),
    path("<int:point_id>/edit", point_form.edit, name="edit"),
    path("<int:point_id>/open", points.open_door, name="open"),
    path("<int:point_id>/mode", points.set_mode, name="mode"),
    path("<int:point_id>/reset-fire", points.reset_fire, name="reset-fire"),
    path("<int:point_id>/forgive", points.forgive, name="forgive"),
    path("requests/<int:request_id>", points.decide_open, name="decide"),
    path("rule-sets/", points.rule_sets, name="rule-sets"),
    path("rule-sets/<int:device_id>/trust", points.trust, name="trust"),
    path("credentials/", credentials.listing, name="credentials"),
    path("credentials/new", credentials.new, name="credential-new"),
    path("credentials/state/<slug:name>", credentials.state, name="credential-state"),
    path("credentials/<int:credential_id>", credentials.detail, name="credential"),
    path("levels/", levels.listing, name="levels"),
    path("levels/new", levels.level, name="level-new"),
    path("levels/<int:level_id>", levels.level, name="level"),
    path("levels/<int:level_id>/holders", levels.assign, name="assign"),
    path("schedules/new", levels.schedule, name="schedule-new"),
    path("schedules/<int:schedule_id>", levels.schedule, name="schedule"),
    path("days/", levels.special_days, name="days"),
    path("lock-down/", others.lock_down, name="lock-down"),
    path("lock-down/<int:lock_down_id>/release", others.release, name="release"),
    path("passes/", others.passes, name="passes"),
    path("passes/new", others.new_pass, name="pass-new"),
    path("passes/<int:pass_id>", others.pass_detail, name="pass"),
    path("passes/<int:pass_id>/revoke", others.revoke_pass, name="pass-revoke"),
]
