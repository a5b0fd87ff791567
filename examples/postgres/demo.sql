CREATE EXTENSION anomaly;
SET TIME ZONE 'UTC';
CREATE TEMP TABLE day(metric text, value float8, at timestamptz, label int);
\copy day FROM examples/data/server-day.csv CSV HEADER
\pset footer off
\echo A day, by the window function:
SELECT at, value, round((v).score::numeric, 1) AS score, round((v).lower::numeric, 1) AS lower,
       round((v).upper::numeric, 1) AS upper, (v).flags
FROM (SELECT *, anomaly(value, at, 'window=1h threshold=5 learn=normal rest=20') OVER (PARTITION BY metric ORDER BY at) AS v
      FROM day) AS judged
WHERE metric = 'cpu' AND (v).flags LIKE '%alarm%';
\echo The first of these rows as they come, in a table that is watched:
CREATE TABLE readings(metric text, at timestamptz, value float8);
SELECT anomaly_watch('readings', 'value', 'metric', 'at', 'window=1h threshold=5 learn=normal rest=20') \gset
INSERT INTO readings SELECT metric, at, value FROM day WHERE metric = 'cpu' AND at < '2025-03-04 03:30Z' ORDER BY at;
SELECT at, value, round(score::numeric, 1) AS score, flags FROM readings_value_anomalies
WHERE key = 'cpu' AND flags LIKE '%alarm%';
