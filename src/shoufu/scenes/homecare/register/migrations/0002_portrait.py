import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("homecare_register", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Portrait",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200, unique=True)),
                ("size", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField()),
                (
                    "practitioner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="portrait",
                        to="homecare_register.practitioner",
                    ),
                ),
            ],
        ),
    ]
