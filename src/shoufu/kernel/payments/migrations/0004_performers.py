import django.db.models.deletion
from django.db import migrations, models

COPY = """
    insert into payments_performer (order_id, position, person_id, account)
    select id, 0, performer_id, performer_account from payments_order where performer_account <> '';
    set constraints all immediate;
    set constraints all deferred
"""
BACK = """
    update payments_order o set performer_id = p.person_id, performer_account = p.account
    from payments_performer p where p.order_id = o.id and p.position = 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("parties", "0002_departures"),
        ("payments", "0003_confirmer_account_code"),
    ]

    operations = [
        migrations.CreateModel(
            name="Performer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("account", models.CharField(max_length=64)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="performers", to="payments.order"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="performed",
                        to="parties.person",
                    ),
                ),
            ],
            options={"ordering": ["order", "position"]},
        ),
        migrations.AddConstraint(
            model_name="performer",
            constraint=models.UniqueConstraint(fields=("order", "account"), name="performer_once"),
        ),
        migrations.RunSQL(COPY, BACK),
        migrations.RemoveField(model_name="order", name="performer"),
        migrations.RemoveField(model_name="order", name="performer_account"),
    ]
