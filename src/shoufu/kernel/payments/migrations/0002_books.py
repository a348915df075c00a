from django.db import migrations

BALANCED = """
create function payments_balanced() returns trigger language plpgsql as $$
declare
    wanted bigint;
    entries integer;
    off text;
begin
    if tg_table_name = 'payments_journal' then wanted := new.id; else wanted := new.journal_id; end if;
    select count(*) into entries from payments_ledgerentry where journal_id = wanted;
    if entries < 2 then
        raise exception 'journal % has % entries; a posting has at least two', wanted, entries
            using errcode = 'check_violation', constraint = 'journal_balanced';
    end if;
    select string_agg(currency || ' ' || sum, ', ') into off from (
        select currency, sum(amount_minor) as sum from payments_ledgerentry where journal_id = wanted
        group by currency having sum(amount_minor) <> 0) as uneven;
    if off is not null then
        raise exception 'journal % does not sum to zero: %', wanted, off
            using errcode = 'check_violation', constraint = 'journal_balanced';
    end if;
    return null;
end $$;
create constraint trigger journal_balanced after insert on payments_journal
    deferrable initially deferred for each row execute function payments_balanced();
create constraint trigger ledger_entry_balanced after insert on payments_ledgerentry
    deferrable initially deferred for each row execute function payments_balanced();
"""

APPEND_ONLY = """
create function payments_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % of % refused; post a reversal', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger journal_append_only before update or delete on payments_journal
    for each row execute function payments_append_only();
create trigger journal_no_truncate before truncate on payments_journal
    for each statement execute function payments_append_only();
create trigger ledger_entry_append_only before update or delete on payments_ledgerentry
    for each row execute function payments_append_only();
create trigger ledger_entry_no_truncate before truncate on payments_ledgerentry
    for each statement execute function payments_append_only();
"""

UNDO_BALANCED = """
drop trigger journal_balanced on payments_journal;
drop trigger ledger_entry_balanced on payments_ledgerentry;
drop function payments_balanced();
"""

UNDO_APPEND_ONLY = """
drop trigger journal_append_only on payments_journal;
drop trigger journal_no_truncate on payments_journal;
drop trigger ledger_entry_append_only on payments_ledgerentry;
drop trigger ledger_entry_no_truncate on payments_ledgerentry;
drop function payments_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RunSQL(BALANCED, UNDO_BALANCED),
        migrations.RunSQL(APPEND_ONLY, UNDO_APPEND_ONLY),
    ]
