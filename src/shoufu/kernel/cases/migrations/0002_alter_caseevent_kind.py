from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="caseevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("raised", "Raised"),
                    ("repeated", "Seen again"),
                    ("acknowledged", "Acknowledged"),
                    ("dispatched", "Dispatched"),
                    ("resolved", "Resolved"),
                    ("closed", "Closed"),
                    ("false_alarm", "False alarm"),
                    ("merged", "Merged"),
                    ("reopened", "Reopened"),
                    ("assigned", "Assigned"),
                    ("escalated", "Escalated"),
                    ("note", "Note"),
                    ("evidence", "Evidence added"),
                    ("notice", "Notice"),
                    ("referral", "Referral"),
                ],
                max_length=12,
            ),
        ),
    ]
