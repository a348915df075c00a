from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="bookingevent",
            name="cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("booker", "By who booked"),
                    ("office", "By the office"),
                    ("left", "The person has left"),
                    ("closed", "The offering is no longer there"),
                    ("clock", "By the clock: nobody said anything"),
                ],
                max_length=8,
            ),
        )
    ]
