from django.urls import path

from shoufu.web.profile import pages

urlpatterns = [
    path("", pages.profile, name="profile"),
    path("preferences", pages.preferences, name="profile-preferences"),
    path("tokens", pages.make_token, name="profile-token"),
    path("tokens/<int:token_id>/revoke", pages.revoke_token, name="profile-token-revoke"),
    path("push", pages.push, name="profile-push"),
    path("endpoints/<int:endpoint_id>/remove", pages.remove_endpoint, name="profile-endpoint-remove"),
]
