from django.db.models import Q

from shoufu.kernel.base.resealing import Column

sealings = (Column("audit.SubjectKey", "key", lambda pk: f"subject:{pk}".encode(), Q(erased_at__isnull=True)),)
