from django.db import migrations

CREATE = """
CREATE TABLE obs (
    id uuid NOT NULL,
    t timestamptz NOT NULL,
    known timestamptz NOT NULL,
    batch bigint NOT NULL,
    ix integer NOT NULL,
    kind integer NOT NULL,
    device bigint NOT NULL,
    place bigint NOT NULL,
    shard smallint NOT NULL,
    foi text,
    result jsonb NOT NULL,
    flags smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (id, t)
) PARTITION BY RANGE (t);
CREATE INDEX obs_batch ON obs (batch, ix);
CREATE INDEX obs_t ON obs (t);
CREATE INDEX obs_place_t ON obs (place, t);
CREATE INDEX obs_device_t ON obs (device, t);

CREATE TABLE batch_log (
    number bigint PRIMARY KEY,
    key bigint NOT NULL UNIQUE,
    known timestamptz NOT NULL,
    count integer NOT NULL
);
CREATE INDEX batch_log_known ON batch_log (known);

-- Writers take a thousand keys at a time.
CREATE SEQUENCE batch_key INCREMENT BY 1000;

-- The last act before the commit of a batch. The lock is held until the commit, so numbers have no gaps, and whoever
-- sees number n sees all before it. `known` never goes back, whatever the clock does.
CREATE FUNCTION log_batch(batch_key bigint, rows integer, OUT number bigint, OUT known timestamptz)
LANGUAGE plpgsql AS $$
DECLARE last record;
BEGIN
    PERFORM pg_advisory_xact_lock(7305, 1);
    SELECT b.number, b.known INTO last FROM batch_log b ORDER BY b.number DESC LIMIT 1;
    number := coalesce(last.number, 0) + 1;
    known := greatest(clock_timestamp(), last.known + interval '1 microsecond');
    INSERT INTO batch_log VALUES (log_batch.number, batch_key, log_batch.known, rows);
END $$;

-- Makes the missing day partitions of [first, last]; returns how many it made.
CREATE FUNCTION obs_make_partitions(first date, last date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    day date;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7305, 2);
    FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
        IF to_regclass(format('obs_%s', to_char(day, 'YYYYMMDD'))) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE obs_%s PARTITION OF obs FOR VALUES FROM (%L) TO (%L)',
                to_char(day, 'YYYYMMDD'), day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00'
            );
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- Drops the day partitions that ended before `before`; returns their names.
CREATE FUNCTION obs_drop_partitions(before date) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE part text;
BEGIN
    PERFORM pg_advisory_xact_lock(7305, 2);
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'obs'::regclass AND c.relname < 'obs_' || to_char(before, 'YYYYMMDD')
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        RETURN NEXT part;
    END LOOP;
END $$;
"""

DROP = """
DROP FUNCTION obs_drop_partitions(date);
DROP FUNCTION obs_make_partitions(date, date);
DROP FUNCTION log_batch(bigint, integer);
DROP SEQUENCE batch_key;
DROP TABLE batch_log;
DROP TABLE obs;
"""


class Migration(migrations.Migration):
    dependencies = [("observations", "0001_initial"), ("devices", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
