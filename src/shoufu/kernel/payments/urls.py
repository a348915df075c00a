from django.urls import path

from shoufu.kernel.payments.pages import callbacks

app_name = "payments"

urlpatterns = [
    path("callback/<str:provider>", callbacks.callback, name="callback"),
]
