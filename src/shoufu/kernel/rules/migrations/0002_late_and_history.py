from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="firing",
            name="late",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="HistoryDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shard", models.SmallIntegerField()),
                ("day", models.DateField()),
                ("batch", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("made_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("shard", "day"), name="history_day_once")],
            },
        ),
        migrations.CreateModel(
            name="LateObservation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shard", models.SmallIntegerField()),
                ("t", models.DateTimeField()),
                ("observation", models.UUIDField()),
                ("batch", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("shard", "t", "observation"), name="late_observation_once")
                ],
            },
        ),
    ]
