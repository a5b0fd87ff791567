-- SPDX-License-Identifier: MIT
\echo Use "CREATE EXTENSION anomaly" to load this file. \quit

CREATE TYPE anomaly_verdict AS (
    score float8, lower float8, upper float8, expected float8, threshold float8, is_anomaly boolean, flags text
);

CREATE FUNCTION anomaly(value float8, at timestamptz DEFAULT NULL, options text DEFAULT '') RETURNS anomaly_verdict
    WINDOW IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'anomaly_window';

CREATE FUNCTION anomaly_step(
    before bytea, value float8, at timestamptz, options text, OUT state bytea, OUT verdict anomaly_verdict
) IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'anomaly_step';

-- The trigger that anomaly_watch() makes; its arguments: state table, table of anomalies, value, key, time, options.
-- The row of the key is locked until the transaction ends, so sessions that write one key take turns.
CREATE FUNCTION anomaly_judge() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    x float8;
    k text;
    t timestamptz;
    s record;
    before bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I, %s, %s', TG_ARGV[2],
                   CASE WHEN TG_ARGV[3] = '' THEN $q$''$q$ ELSE format($q$coalesce(($1).%I::text, '')$q$, TG_ARGV[3]) END,
                   CASE WHEN TG_ARGV[4] = '' THEN 'NULL' ELSE format('($1).%I', TG_ARGV[4]) END)
        INTO x, k, t USING NEW;
    EXECUTE format('INSERT INTO %s (key) VALUES ($1) ON CONFLICT DO NOTHING', TG_ARGV[0]) USING k;
    EXECUTE format('SELECT state FROM %s WHERE key = $1 FOR UPDATE', TG_ARGV[0]) INTO before USING k;
    s := anomaly_step(before, x, t, TG_ARGV[5]);
    EXECUTE format('UPDATE %s SET state = $1 WHERE key = $2', TG_ARGV[0]) USING s.state, k;
    IF (s.verdict).is_anomaly THEN
        EXECUTE format('INSERT INTO %s SELECT $1, $2, $3, ($4).*', TG_ARGV[1]) USING k, t, x, s.verdict;
    END IF;
    RETURN NULL;
END $$;

-- From now on judges each row that is inserted; odd ones go to TABLE_VALUE_anomalies. Dropping the trigger ends it.
CREATE FUNCTION anomaly_watch(
    watched regclass, value name, key name DEFAULT '', at name DEFAULT '', options text DEFAULT ''
) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    namespace name;
    relation name;
    state text;
    anomalies text;
    missing name;
BEGIN
    SELECT nspname, relname INTO namespace, relation
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = watched;
    SELECT c INTO missing FROM unnest(ARRAY[value, key, at]) AS c WHERE c <> '' AND NOT EXISTS
        (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = watched AND attname = c AND attnum > 0 AND NOT attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'anomaly: % has no column "%"', watched, missing USING ERRCODE = 'undefined_column';
    END IF;
    IF value = '' THEN
        RAISE EXCEPTION 'anomaly: value names a column';
    END IF;
    PERFORM anomaly_step(NULL, 0, CASE WHEN at <> '' THEN '2000-01-01Z'::timestamptz END, options); -- refuses what is wrong
    state := format('%I.%I', namespace, relation || '_' || value || '_state');
    anomalies := format('%I.%I', namespace, relation || '_' || value || '_anomalies');
    EXECUTE format('CREATE TABLE %s (key text PRIMARY KEY, state bytea)', state);
    EXECUTE format('ALTER TABLE %s ALTER state SET STORAGE EXTERNAL', state); -- packing doubles takes long and gains little
    EXECUTE format('CREATE TABLE %s (key text, at timestamptz, value float8, score float8, lower float8, upper float8, '
                   'expected float8, threshold float8, is_anomaly boolean, flags text)', anomalies);
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION anomaly_judge(%L, %L, %L, %L, %L, %L)',
                   'anomaly_' || value, watched, state, anomalies, value, key, at, options);
END $$;
