import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("places", "0001_initial"),
        ("privacy", "0003_state_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="Deposit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.BigIntegerField(db_index=True)),
                ("duty", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                ("name_zh", models.CharField(max_length=120)),
                ("law", models.CharField(max_length=250)),
                ("law_zh", models.CharField(max_length=250)),
                ("count", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField()),
                ("until", models.DateField(db_index=True)),
                (
                    "place",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="places.place"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DepositPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("content", models.BinaryField()),
                (
                    "deposit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="privacy.deposit"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("deposit", "number"), name="deposit_part_once")],
            },
        ),
    ]
