from django.urls import path

from shoufu.kernel.media import pages

app_name = "media"

urlpatterns = [path("<uuid:media_id>", pages.content, name="content")]
