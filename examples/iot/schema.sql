-- The pipeline's tables, in words that PostgreSQL and SQLite both understand. Times are UTC; in SQLite they are text of the
-- form 2025-07-20 10:19:16.123456, and a BYTEA is a BLOB. An id is that of the message: its offset in Kafka * partitions +
-- partition. So a message that was judged twice would be refused here.

CREATE TABLE IF NOT EXISTS sensor_data (
    id BIGINT PRIMARY KEY,
    sensor_id VARCHAR(50) NOT NULL,
    metric_type VARCHAR(50) NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    expected DOUBLE PRECISION, -- what was usual; NULL where nothing is known yet
    lower DOUBLE PRECISION,
    upper DOUBLE PRECISION,
    is_anomaly BOOLEAN NOT NULL
);
CREATE INDEX IF NOT EXISTS sensor_data_time ON sensor_data (timestamp);
CREATE INDEX IF NOT EXISTS sensor_data_sensor ON sensor_data (sensor_id, metric_type, timestamp);

CREATE TABLE IF NOT EXISTS anomalies (
    id BIGINT PRIMARY KEY,
    sensor_id VARCHAR(50) NOT NULL,
    metric_type VARCHAR(50) NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    z_score DOUBLE PRECISION NOT NULL, -- below 0 where the value is too low; infinite where the values before were all the same
    timestamp TIMESTAMPTZ NOT NULL,
    expected DOUBLE PRECISION,
    lower DOUBLE PRECISION,
    upper DOUBLE PRECISION
);
CREATE INDEX IF NOT EXISTS anomalies_time ON anomalies (timestamp);

-- Messages that could not be understood.
CREATE TABLE IF NOT EXISTS rejected (
    id BIGINT PRIMARY KEY,
    reason TEXT NOT NULL,
    message BYTEA NOT NULL -- its first 4096 bytes
);

-- Which message comes next, and who may say so: each new owner of a partition adds 1 to epoch, and who writes names the epoch
-- that was given to him. So what a former owner still has to write is refused.
CREATE TABLE IF NOT EXISTS offsets (
    partition INTEGER PRIMARY KEY,
    next BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

-- The detectors, which move with their partition.
CREATE TABLE IF NOT EXISTS states (
    partition INTEGER NOT NULL,
    sensor_id VARCHAR(50) NOT NULL,
    metric_type VARCHAR(50) NOT NULL,
    snapshot BYTEA NOT NULL,
    PRIMARY KEY (partition, sensor_id, metric_type)
);

-- Messages for Slack that wait, as JSON; the webhook has them once they are not here any more.
CREATE TABLE IF NOT EXISTS outbox (
    id BIGINT PRIMARY KEY,
    message TEXT NOT NULL
);

-- What the parts say of themselves: consumers, the sender of messages. problem is empty where all is well.
CREATE TABLE IF NOT EXISTS health (
    part VARCHAR(100) PRIMARY KEY,
    seen TIMESTAMPTZ NOT NULL,
    problem TEXT NOT NULL
);
