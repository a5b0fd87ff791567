.mode box
.import --csv examples/data/server-day.csv day
CREATE TABLE cpu(id INTEGER PRIMARY KEY, at TEXT, ts INTEGER, value REAL);
INSERT INTO cpu(at, ts, value) SELECT timestamp, unixepoch(timestamp), value FROM day WHERE metric = 'cpu' AND rowid < 4000;

.print The first part of the day, by a window function:
SELECT at, value, round(anomaly_score(v), 1) AS score, round(anomaly_lower(v), 1) AS lower,
       round(anomaly_upper(v), 1) AS upper, anomaly_flags(v) AS flags
FROM (SELECT *, anomaly(value, ts, 'window=1h threshold=5 learn=normal rest=20') OVER (ORDER BY ts) AS v FROM cpu)
WHERE is_anomaly(v) AND anomaly_flags(v) LIKE '%alarm%';

.print The rest comes, and only the new rows are read:
CREATE VIRTUAL TABLE cpu_new USING anomaly_new(table=cpu, id=id, time=ts, value=value,
                                               options='window=1h threshold=5 learn=normal rest=20');
CREATE TABLE alarms(id INTEGER PRIMARY KEY, value, score, lower, upper);
INSERT INTO alarms SELECT id, value, score, lower, upper FROM cpu_new WHERE flags LIKE '%alarm%';
INSERT INTO cpu(at, ts, value) SELECT timestamp, unixepoch(timestamp), value FROM day WHERE metric = 'cpu' AND rowid >= 4000;
INSERT INTO alarms SELECT id, value, score, lower, upper FROM cpu_new WHERE flags LIKE '%alarm%';
SELECT changes() AS new_alarms;
SELECT at, alarms.value, round(score, 1) AS score, round(lower, 1) AS lower, round(upper, 1) AS upper
FROM alarms JOIN cpu USING (id);
