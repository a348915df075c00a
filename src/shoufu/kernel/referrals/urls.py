from django.urls import path

from shoufu.kernel.referrals.pages import console, managing, sending

app_name = "referrals"

urlpatterns = [
    path("", sending.listing, name="list"),
    path("<int:referral_id>", sending.detail, name="detail"),
    path("<int:referral_id>/withdraw", sending.withdraw, name="withdraw"),
    path("case/<int:case_id>", sending.refer, name="refer"),
    path("console", console.console, name="console"),
    path("console/queue", console.queue, name="queue"),
    path("console/<int:referral_id>", console.panel, name="panel"),
    path("console/<int:referral_id>/media/<uuid:media_id>", console.media, name="media"),
    path("console/<int:referral_id>/<str:name>", console.act, name="act"),
    path("destinations", managing.destinations, name="destinations"),
    path("destinations/new", managing.edit_destination, name="new-destination"),
    path("destinations/<int:destination_id>", managing.edit_destination, name="destination"),
    path("destinations/<int:destination_id>/<str:name>", managing.act_destination, name="act-destination"),
    path("policies", managing.policies, name="policies"),
    path("policies/new", managing.edit_policy, name="new-policy"),
    path("policies/<int:policy_id>", managing.edit_policy, name="policy"),
    path("policies/<int:policy_id>/remove", managing.remove_policy, name="remove-policy"),
    path("callback/<str:code>", sending.callback, name="callback"),
]
