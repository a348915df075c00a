from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import public
from shoufu.kernel.payments import services
from shoufu.kernel.payments.models import Provider


@csrf_exempt
@public
@require_POST
def callback(request: HttpRequest, provider: str) -> HttpResponseBase:
    """A signed callback of a payment provider; see docs/operations.md."""
    if provider not in (Provider.WECHAT, Provider.ALIPAY):
        raise NotFound(request.path)
    answer = services.take_callback(provider, request.body, request.headers)
    return HttpResponse(answer.body, content_type=answer.content_type, status=answer.status)
