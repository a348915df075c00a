from django.urls import path

from shoufu.kernel.payments.pages import books, callbacks, orders

app_name = "payments"

urlpatterns = [
    path("", orders.listing, name="orders"),
    path("<int:order_id>", orders.detail, name="order"),
    path("<int:order_id>/receipt.pdf", orders.receipt, name="receipt"),
    path("<int:order_id>/<str:step>", orders.act, name="act"),
    path("differences", books.differences, name="differences"),
    path("differences/compare", books.compare, name="compare"),
    path("differences/<int:difference_id>", books.difference, name="difference"),
    path("settlements", books.settlements, name="settlements"),
    path("settlements/<int:settlement_id>", books.settlement, name="settlement"),
    path("settlements/<int:settlement_id>/<str:step>", books.act_settlement, name="act-settlement"),
    path("callback/<str:provider>", callbacks.callback, name="callback"),
]
