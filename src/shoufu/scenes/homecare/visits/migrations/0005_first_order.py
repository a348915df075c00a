import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("homecare_visits", "0004_visit_by_time"),
        ("payments", "0004_performers"),
    ]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="first_order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="payments.order",
            ),
        )
    ]
