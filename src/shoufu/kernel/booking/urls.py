from django.urls import path

from shoufu.kernel.booking.pages import bookings, making, offerings, resources

app_name = "booking"

urlpatterns = [
    path("", bookings.listing, name="list"),
    path("cancel-many", bookings.cancel_many, name="cancel-many"),
    path("<int:booking_id>", bookings.detail, name="detail"),
    path("<int:booking_id>/<str:name>", bookings.act, name="act"),
    path("waiting", bookings.waiting, name="waiting"),
    path("waiting/<int:waiting_entry_id>/withdraw", bookings.withdraw, name="withdraw"),
    path("offerings", offerings.listing, name="offerings"),
    path("offerings/new", making.new_offering, name="offering-new"),
    path("offerings/<int:offering_id>/terms", making.terms, name="terms"),
    path("offerings/<int:offering_id>/close", making.close, name="offering-close"),
    path("offerings/<int:offering_id>/wait", offerings.wait, name="wait"),
    path("offerings/<int:offering_id>", offerings.detail, name="offering"),
    path("offerings/<int:offering_id>/hold", offerings.hold, name="hold"),
    path("resources", resources.listing, name="resources"),
    path("resources/new", making.new_resource, name="resource-new"),
    path("resources/<int:resource_id>/rules/new", making.new_rule, name="rule-new"),
    path("resources/rules/<int:rule_id>/remove", making.remove_rule, name="rule-remove"),
    path("resources/<int:resource_id>", resources.week, name="resource"),
    path("resources/<int:resource_id>/away", resources.away, name="away"),
    path("resources/overrides/<int:override_id>/remove", resources.remove_override, name="remove-override"),
]
