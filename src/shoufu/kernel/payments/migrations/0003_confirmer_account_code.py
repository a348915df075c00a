import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ACCOUNTS = (
    "update payments_order set performer_account = 'payable:person:' || performer_id where performer_id is not null"
)


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_books"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="performer_account",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunSQL(ACCOUNTS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="payment",
            name="code_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="settlement",
            name="confirmer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
