-- SPDX-License-Identifier: MIT
CREATE EXTENSION anomaly;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TABLE cpu AS SELECT i AS id, 50 + (i::bigint * 7919 % 1009) / 100.0::float8 AS value FROM generate_series(1, 200000) AS i;
ALTER TABLE cpu ADD PRIMARY KEY (id);
VACUUM ANALYZE cpu;
\timing on
\echo 200,000 rows numbered, nothing else
SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY id) AS n FROM cpu) AS r;
\echo z-score of the last 1000, anomaly()
SELECT count(*) FILTER (WHERE (v).is_anomaly) FROM (SELECT anomaly(value, options => 'window=1000') OVER (ORDER BY id) AS v FROM cpu) AS r;
\echo median and MAD of the last 1000, anomaly()
SELECT count(*) FILTER (WHERE (v).is_anomaly) FROM (SELECT anomaly(value, options => 'window=1000 robust=1') OVER (ORDER BY id) AS v FROM cpu) AS r;
\echo z-score of the last 1000, SQL: avg() and stddev_samp() of doubles, 10,000 of the rows
SELECT count(*) FILTER (WHERE abs(value - m) >= 3 * s) FROM (SELECT value, avg(value) OVER w AS m, stddev_samp(value) OVER w AS s
    FROM (SELECT * FROM cpu WHERE id <= 10000) AS part WINDOW w AS (ORDER BY id ROWS BETWEEN 1000 PRECEDING AND 1 PRECEDING)) AS r;
\echo the same of numeric
SELECT count(*) FILTER (WHERE abs(value - m) >= 3 * s) FROM (SELECT value, avg(value) OVER w AS m, stddev_samp(value) OVER w AS s
    FROM (SELECT id, value::numeric FROM cpu WHERE id <= 10000) AS part
    WINDOW w AS (ORDER BY id ROWS BETWEEN 1000 PRECEDING AND 1 PRECEDING)) AS r;
\echo a watched table: 2,000 rows inserted, then the same without
CREATE TABLE plain(id int, value float8);
CREATE TABLE live(id int, value float8);
SELECT anomaly_watch('live', 'value', options => 'window=1000');
INSERT INTO live SELECT * FROM cpu WHERE id <= 2000;
INSERT INTO plain SELECT * FROM cpu WHERE id <= 2000;
