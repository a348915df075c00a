import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0002_alter_caseevent_kind"),
        ("places", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=28, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                            ("deleted", "Deleted"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("progress", models.FloatField(default=0)),
                ("step", models.CharField(blank=True, max_length=80)),
                ("error", models.TextField(blank=True)),
                ("recipient", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=200)),
                (
                    "sharp",
                    models.CharField(
                        choices=[
                            ("nobody", "Everybody blurred"),
                            ("subject", "The person of the case sharp, bystanders blurred"),
                            ("all", "Nothing blurred"),
                        ],
                        default="nobody",
                        max_length=8,
                    ),
                ),
                ("sharp_reason", models.CharField(blank=True, max_length=200)),
                ("media", models.JSONField(blank=True, default=list)),
                ("cameras", models.JSONField(blank=True, default=list)),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("recipient_key", models.CharField(blank=True, max_length=80)),
                ("secret", models.BinaryField(blank=True, null=True)),
                ("language", models.CharField(default="zh-hans", max_length=8)),
                ("asked_by", models.CharField(max_length=120)),
                ("asked_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("key", models.CharField(blank=True, max_length=120)),
                ("size", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("signed_by", models.CharField(blank=True, max_length=64)),
                ("files", models.PositiveIntegerField(default=0)),
                ("downloads", models.PositiveIntegerField(default=0)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="exports", to="cases.case"
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="places.place"),
                ),
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
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("key", ""), _negated=True), fields=["expires_at"], name="export_expires"
                    ),
                    models.Index(fields=["place", "-asked_at"], name="export_place"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200)),
                ("review_at", models.DateField()),
                ("placed_by", models.CharField(max_length=120)),
                ("placed_at", models.DateTimeField()),
                ("lifted_by", models.CharField(blank=True, max_length=120)),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_reason", models.CharField(blank=True, max_length=200)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="cases.case"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)), fields=("case",), name="hold_once_at_a_time"
                    )
                ],
            },
        ),
    ]
