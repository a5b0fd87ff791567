#!/bin/sh
# SPDX-License-Identifier: MIT
# Rows a second: anomaly() beside window functions of SQLite itself over the same rows, in one run. `make bench-sqlite`.
set -eu
rows=${1:-200000}
sqlite3 -batch -cmd ".load ${BUILD:-build}/sqlite/anomaly" :memory: <<EOF
CREATE TABLE cpu(id INTEGER PRIMARY KEY, value REAL);
INSERT INTO cpu SELECT value, 50 + (value * 7919 % 1009) / 100.0 FROM generate_series(1, $rows);
CREATE TABLE seen(id INTEGER PRIMARY KEY, score);
CREATE VIRTUAL TABLE cpu_new USING anomaly_new(table=cpu, id=id, value=value, options='window=1000');
.timer on
.print $rows rows read, nothing else
SELECT sum(value) FROM cpu;
.print z-score of the last 1000, SQL: avg() and avg() of squares
SELECT sum(abs(value - m) >= 3 * sqrt(s - m * m)) FROM (SELECT value, avg(value) OVER w AS m, avg(value * value) OVER w AS s
    FROM cpu WINDOW w AS (ORDER BY id ROWS BETWEEN 1000 PRECEDING AND 1 PRECEDING));
.print z-score of the last 1000, anomaly()
SELECT sum(is_anomaly(v)) FROM (SELECT anomaly(value, 'window=1000') OVER (ORDER BY id) AS v FROM cpu);
.print median and MAD of the last 1000, anomaly()
SELECT sum(is_anomaly(v)) FROM (SELECT anomaly(value, 'window=1000 robust=1') OVER (ORDER BY id) AS v FROM cpu);
.print median and MAD of the last 1000, SQL, the last 100 of the rows only
WITH m AS MATERIALIZED (SELECT id AS now, value, (SELECT value FROM cpu WHERE id BETWEEN c.id - 1000 AND c.id - 1
    ORDER BY value LIMIT 1 OFFSET 500) AS m FROM cpu AS c WHERE id > $rows - 100)
SELECT sum(abs(value - m) >= 3 * 1.4826 * (SELECT abs(cpu.value - m) AS d FROM cpu
    WHERE id BETWEEN now - 1000 AND now - 1 ORDER BY d LIMIT 1 OFFSET 500)) FROM m;
.print anomaly_new: all rows, saved, with the verdicts kept
INSERT INTO seen SELECT id, score FROM cpu_new;
.print anomaly_new: one more row
INSERT INTO cpu VALUES ($rows + 1, 99);
INSERT INTO seen SELECT id, score FROM cpu_new;
EOF
