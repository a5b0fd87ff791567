-- SPDX-License-Identifier: MIT
-- Rows of tests/golden/verdicts/, the wanted columns as the bits of doubles.
CREATE TABLE golden(n int, at float8, x float8, score text, threshold text, expected text, lower text, upper text);
CREATE FUNCTION bits(float8) RETURNS text LANGUAGE sql AS $$ SELECT encode(float8send($1), 'hex') $$;
CREATE FUNCTION differs(g golden, v anomaly_verdict) RETURNS boolean LANGUAGE sql AS $$
    SELECT (g.score, g.threshold, g.expected, g.lower, g.upper) IS DISTINCT FROM
        (bits(v.score), bits(v.threshold), bits(v.expected), bits(v.lower), bits(v.upper)) $$;
CREATE FUNCTION wrong(options text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE differs(g, v)) + CASE WHEN count(*) < 300 THEN 1 ELSE 0 END
    FROM (SELECT g, anomaly(x, to_timestamp(at), options) OVER (ORDER BY n) AS v FROM golden AS g) AS judged $$;
CREATE FUNCTION wrong_steps(options text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE g golden; state bytea; s record; wrong bigint := 0;
BEGIN
    FOR g IN SELECT * FROM golden ORDER BY n LOOP
        s := anomaly_step(state, g.x, to_timestamp(g.at), options);
        state := s.state;
        wrong := wrong + differs(g, s.verdict)::int;
    END LOOP;
    RETURN wrong;
END $$;
