CREATE EXTENSION anomaly;
SET TIME ZONE 'UTC';
CREATE TABLE cpu(id int PRIMARY KEY, host text, at timestamptz, value float8);
INSERT INTO cpu SELECT i, 'h' || i % 2, timestamptz '2025-01-01Z' + i * interval '1 s', 50 + i * 7919 % 13 FROM generate_series(1, 200) AS i;
UPDATE cpu SET value = 200 WHERE id = 150;
UPDATE cpu SET value = NULL WHERE id = 100;
-- the window function
SELECT id, host, round((v).score::numeric, 9) AS score, round((v).lower::numeric, 9) AS lower, (v).flags
FROM (SELECT *, anomaly(value, at, 'window=100s') OVER (PARTITION BY host ORDER BY at) AS v FROM cpu) AS judged
WHERE (v).is_anomaly OR (v).flags = 'missing' ORDER BY id;
SELECT count(*) FROM (SELECT anomaly(value, options => 'kind=watch') OVER (ORDER BY id) FROM cpu) AS judged;
-- what is refused
SELECT anomaly(value, options => 'windw=5') OVER (ORDER BY id) FROM cpu;
SELECT anomaly(value, options => 'kind=median') OVER (ORDER BY id) FROM cpu;
SELECT anomaly(value, options => 'window=60s') OVER (ORDER BY id) FROM cpu;
SELECT anomaly(value, options => 'window=' || id + 2) OVER (ORDER BY id) FROM cpu;
SELECT anomaly(value, 'infinity') OVER (ORDER BY id) FROM cpu;
SELECT anomaly_step('\x00', 1, NULL, '');
SELECT (anomaly_step((anomaly_step(NULL, 1, NULL, 'window=10')).state, 1, NULL, 'window=20')).verdict;
-- new rows: the same verdicts as the window function's
CREATE TABLE live(LIKE cpu);
SELECT anomaly_watch('live', 'valeu', 'host', 'at', 'window=100s');
SELECT anomaly_watch('live', 'value', 'host', 'at', 'windw=100s');
SELECT anomaly_watch('live', 'value', 'host', '', 'window=100s');
SELECT anomaly_watch('live', 'value', 'host', 'at', 'window=100s');
INSERT INTO live SELECT * FROM cpu WHERE id <= 120 ORDER BY id;
BEGIN;
INSERT INTO live SELECT id, host, at, value * 1e9 FROM cpu WHERE id > 120 ORDER BY id;
ROLLBACK;
INSERT INTO live SELECT * FROM cpu WHERE id > 120 ORDER BY id;
SELECT key, at, value, round(score::numeric, 9) AS score, flags FROM live_value_anomalies;
SELECT count(*) FROM live_value_anomalies AS a JOIN
    (SELECT at, anomaly(value, at, 'window=100s') OVER (PARTITION BY host ORDER BY at) AS v FROM cpu) AS b
    ON a.at = b.at AND (a.score, a.lower, a.upper, a.expected) = ((v).score, (v).lower, (v).upper, (v).expected);
-- also of other numbers, whatever the session shows of them
SET extra_float_digits = 0;
CREATE TABLE singles(value real);
SELECT anomaly_watch('singles', 'value');
INSERT INTO singles SELECT i * 0.1 FROM generate_series(1, 50) AS i;
INSERT INTO singles VALUES (99.9);
SELECT count(*) FROM singles_value_anomalies AS a JOIN
    (SELECT value, anomaly(value) OVER () AS v FROM singles) AS b
    ON (a.value, a.score, a.expected) = (b.value, (v).score, (v).expected);
