import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0002_alter_caseevent_kind"),
        ("parties", "0002_departures"),
        ("places", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=64, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("name_en", models.CharField(blank=True, max_length=120)),
                (
                    "channel",
                    models.CharField(
                        choices=[("console", "Console here"), ("webhook", "Signed webhook")], max_length=8
                    ),
                ),
                (
                    "body",
                    models.CharField(choices=[("cap", "CAP 1.2 (XML)"), ("json", "JSON")], default="cap", max_length=4),
                ),
                ("url", models.CharField(blank=True, max_length=300)),
                ("second_url", models.CharField(blank=True, max_length=300)),
                ("secret", models.BinaryField(blank=True, null=True)),
                ("callback_secret", models.BinaryField(blank=True, null=True)),
                ("restriction", models.CharField(max_length=200)),
                ("policy", models.JSONField(blank=True, default=dict)),
                ("active", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("heard_at", models.DateTimeField(blank=True, null=True)),
                ("tested_at", models.DateTimeField(blank=True, null=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="destinations",
                        to="parties.organisation",
                    ),
                ),
                (
                    "outage",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="destinations", to="places.place"
                    ),
                ),
            ],
            options={
                "ordering": ["place__path", "code"],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("kinds", models.JSONField(blank=True, default=list)),
                ("severities", models.JSONField(blank=True, default=list)),
                ("escalation", models.PositiveSmallIntegerField(default=0)),
                ("after_minutes", models.PositiveIntegerField(default=0)),
                ("active", models.BooleanField(default=False)),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("author", models.CharField(max_length=120)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="policies", to="referrals.destination"
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="referral_policies", to="places.place"
                    ),
                ),
            ],
            options={
                "ordering": ["place__path", "name"],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("identifier", models.CharField(max_length=128)),
                ("at", models.DateTimeField()),
                ("answer", models.JSONField(default=dict)),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="receipts", to="referrals.destination"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=24, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "Sent"),
                            ("received", "Received"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                            ("ended", "Outcome known"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="sent",
                        max_length=9,
                    ),
                ),
                ("exercise", models.BooleanField(default=False)),
                ("duress", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=200)),
                ("contact", models.BinaryField(blank=True, null=True)),
                ("sent_by", models.CharField(max_length=120)),
                ("sent_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("chased_at", models.DateTimeField(blank=True, null=True)),
                ("handled_by", models.CharField(blank=True, max_length=120)),
                ("their_reference", models.CharField(blank=True, max_length=64)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("handled", "Dealt with"),
                            ("false_alarm", "False alarm"),
                            ("no_action", "No action needed"),
                            ("passed_on", "Passed on to others"),
                        ],
                        max_length=12,
                    ),
                ),
                ("outcome_text", models.CharField(blank=True, max_length=300)),
                ("case_version", models.PositiveIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="referrals", to="cases.case"
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="referrals.destination",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="referrals",
                        to="referrals.policy",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("identifier", models.CharField(max_length=64, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("alert", "Alert"),
                            ("update", "Update"),
                            ("cancel", "Cancellation"),
                            ("test", "Test"),
                            ("heartbeat", "Heartbeat"),
                        ],
                        max_length=9,
                    ),
                ),
                ("content_type", models.CharField(max_length=40)),
                ("content", models.BinaryField()),
                ("sent", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("acknowledged", "Acknowledged"),
                            ("failed", "Given up"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("path", models.PositiveSmallIntegerField(default=1)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="referrals.destination"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="referrals.referral",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Handling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("step", models.CharField(max_length=12)),
                ("by", models.CharField(max_length=120)),
                ("text", models.CharField(blank=True, max_length=300)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="referrals.referral"
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.AddConstraint(
            model_name="destination",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel", "console"),
                    models.Q(models.Q(("url", ""), _negated=True), ("secret__isnull", False)),
                    _connector="OR",
                ),
                name="destination_reachable",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(fields=("destination", "identifier"), name="receipt_once"),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(fields=["destination", "state", "-sent_at"], name="referral_queue"),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(fields=["case"], name="referral_case"),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["sent", "received", "accepted"])),
                fields=("case", "destination"),
                name="referral_open_once",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "sending"])),
                fields=["destination", "next_at"],
                name="message_due",
            ),
        ),
    ]
