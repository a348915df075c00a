from django.db import migrations

REFUSE = """
create or replace function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is insert only: % on % is refused', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
"""
TABLES = ("audit_auditentry", "audit_auditlink", "audit_auditroot")


def _triggers(table: str) -> str:
    return f"""
    create trigger audit_insert_only before update or delete on {table}
        for each row execute function audit_refuse();
    create trigger audit_no_truncate before truncate on {table}
        for each statement execute function audit_refuse();
    """


def _drop(table: str) -> str:
    return f"drop trigger audit_insert_only on {table}; drop trigger audit_no_truncate on {table};"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "drop function audit_refuse()"),
        *(migrations.RunSQL(_triggers(table), _drop(table)) for table in TABLES),
    ]
