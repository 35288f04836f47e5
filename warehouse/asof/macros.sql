-- What stood on `as_of`, as known on `known_at`. Stable names, published in every snapshot.
--
-- Law: rows known by `known_at` compete per key; among those that have begun by `as_of` the one known last wins (then
-- the one that begins last), so that an older row never returns once a newer one has spoken. A suspension, or a
-- stated term in force, whose end has passed without a successor is lapsed_unverified from that day.
-- Quantities: claims of several sources on one thing are kept; the best grade, then the newest, gives best, and the
-- others widen the range. Where nothing was known by then, the earliest is used and is_hindsight is true.
--
-- DuckDB binds the names in a macro where it is called: attach the file and `USE` it first.

CREATE OR REPLACE MACRO holds_on(valid_from, valid_to, day) AS
    coalesce(valid_from <= day, true) AND coalesce(valid_to > day, true);

CREATE OR REPLACE MACRO members_at(as_of, known_at) AS TABLE
SELECT DISTINCT bloc, country FROM core.blocs
WHERE known_from <= known_at AND holds_on(valid_from, valid_to, as_of);

CREATE OR REPLACE MACRO measure_state_at(as_of, known_at) AS TABLE
WITH winner AS (
    SELECT *, coalesce(valid_to <= as_of AND state IN ('suspended', 'in_force'), false) AS has_lapsed
    FROM core.measure_states
    WHERE known_from <= known_at AND valid_from <= as_of
    QUALIFY row_number() OVER (
        PARTITION BY measure_id, clause, destination
        ORDER BY known_from DESC, valid_from DESC, list_position([
            'unknown', 'proposed', 'announced', 'in_force', 'suspended', 'superseded', 'dropped', 'ended'
        ], state) DESC
    ) = 1
)
SELECT
    measure_id,
    clause,
    destination,
    CASE WHEN has_lapsed THEN 'lapsed_unverified' ELSE state END AS state,
    CASE WHEN has_lapsed THEN valid_to ELSE valid_from END AS valid_from,
    CASE WHEN has_lapsed THEN NULL ELSE valid_to END AS valid_to,
    source_id,
    known_from
FROM winner;

CREATE OR REPLACE MACRO words_at(as_of, known_at) AS TABLE
SELECT role, word, applies, valid_from, source_id, known_from
FROM core.word_roles
WHERE known_from <= known_at AND valid_from <= as_of
QUALIFY row_number() OVER (PARTITION BY role, word ORDER BY known_from DESC, valid_from DESC) = 1;

CREATE OR REPLACE MACRO measures_at(as_of, known_at) AS TABLE
WITH
named AS (
    SELECT * FROM core.measure_destinations
    WHERE known_from <= known_at
    QUALIFY row_number() OVER (PARTITION BY measure_id, clause, destination, scope ORDER BY known_from DESC) = 1
),
state AS (
    -- DuckDB 1.5 takes no subquery in the condition of an outer join, so what it needs is a column here.
    SELECT s.*, o.clause IS NOT NULL AS has_own_destinations
    FROM measure_state_at(as_of, known_at) s
    LEFT JOIN (SELECT DISTINCT measure_id, clause FROM named) o USING (measure_id, clause)
),
joined AS (
    SELECT
        s.measure_id,
        s.clause,
        s.state,
        s.valid_from,
        s.valid_to,
        CASE WHEN s.destination = '*' THEN coalesce(n.destination, '*') ELSE s.destination END AS destination,
        coalesce(n.scope, 'all') AS scope,
        s.source_id,
        s.known_from,
        s.destination AS state_destination,
        coalesce(n.destination, '*') AS named_destination
    FROM state s
    LEFT JOIN named n
        ON n.measure_id = s.measure_id
        AND NOT n.is_excluded
        AND (s.destination = '*' OR n.destination IN (s.destination, '*'))
        AND (
            n.clause = s.clause
            OR s.clause = 'all'
            OR (n.clause = 'all' AND NOT s.has_own_destinations)
        )
)
SELECT DISTINCT ON (measure_id, clause, destination, scope)
    measure_id, clause, state, valid_from, valid_to, destination, scope, source_id, known_from
FROM joined
WHERE state_destination <> '*'
    OR (measure_id, clause, destination) NOT IN (
        SELECT (t.measure_id, t.clause, t.destination) FROM state t WHERE t.destination <> '*'
    )
ORDER BY measure_id, clause, destination, scope, (state_destination = '*'), (named_destination = '*');

CREATE OR REPLACE MACRO agreement_state_at(as_of, known_at) AS TABLE
SELECT
    agreement_id,
    -- A stated term that ran out with no successor is no longer known to stand; nothing else flips without a row.
    CASE WHEN valid_to <= as_of AND state IN ('in_force', 'operating_nonbinding') THEN 'unknown' ELSE state END
        AS state,
    valid_from,
    valid_to,
    source_id,
    known_from
FROM core.agreement_states
WHERE known_from <= known_at AND valid_from <= as_of
QUALIFY row_number() OVER (
    PARTITION BY agreement_id ORDER BY known_from DESC, valid_from DESC, state
) = 1;

CREATE OR REPLACE MACRO pledges_at(as_of, known_at) AS TABLE
WITH newest AS (
    SELECT * FROM core.pledges
    WHERE known_from <= known_at AND coalesce(valid_from, known_from) <= as_of
    QUALIFY row_number() OVER (PARTITION BY pledge_id ORDER BY known_from DESC) = 1
)
SELECT
    p.pledge_id,
    p.agreement_id,
    p.pledging_party,
    p.beneficiary,
    p.kind,
    p.legal_strength,
    p.backing,
    coalesce(p.valid_to <= as_of, false) AS is_expired,
    a.state AS agreement_state,
    p.implements_measure_id,
    p.performance,
    p.protection_credit_low,
    p.protection_credit_high,
    p.valid_from,
    p.valid_to,
    p.description,
    p.in_article_2025_10_27,
    p.source_id,
    p.known_from
FROM newest p
LEFT JOIN agreement_state_at(as_of, known_at) a USING (agreement_id);

CREATE OR REPLACE MACRO trade_at(as_of, known_at) AS TABLE
SELECT t.*
FROM core.trade t
JOIN core.sources s USING (source_id)
WHERE t.known_from <= known_at AND t.year <= year(as_of::DATE)
QUALIFY row_number() OVER (
    PARTITION BY t.year, t.exporter, t.importer, t.hs6, t.hs_revision
    ORDER BY t.known_from DESC, s.grade, t.source_id
) = 1;

CREATE OR REPLACE MACRO revision_year(hs_revision) AS
CASE WHEN hs_revision >= '88' THEN 1900 ELSE 2000 END + hs_revision::INTEGER;

-- Trade as known, by the revisions of the map: a code and year that a revision lacks stands in for it where it comes in
-- another revision in which the code means the same goods. `hs_revision` is then the map's.
CREATE OR REPLACE MACRO trade_in_revision(as_of, known_at) AS TABLE
WITH
known AS (
    SELECT * FROM core.trade WHERE known_from <= known_at AND year <= year(as_of::DATE)
),
told AS (
    SELECT DISTINCT hs6, hs_revision, year FROM known
),
span AS (
    SELECT * FROM core.hs_spans
    WHERE known_from <= known_at
    QUALIFY row_number() OVER (PARTITION BY hs6, revision_from ORDER BY known_from DESC) = 1
),
same AS (
    SELECT DISTINCT w.hs6, w.year, w.hs_revision AS theirs, c.hs_revision
    FROM told w
    JOIN span s
        ON s.hs6 = w.hs6
        AND revision_year(w.hs_revision) BETWEEN revision_year(s.revision_from) AND revision_year(s.revision_to)
    JOIN (SELECT DISTINCT hs6, hs_revision FROM core.hs_codes) c
        ON c.hs6 = w.hs6
        AND c.hs_revision <> w.hs_revision
        AND revision_year(c.hs_revision) BETWEEN revision_year(s.revision_from) AND revision_year(s.revision_to)
    ANTI JOIN told o ON o.hs6 = w.hs6 AND o.year = w.year AND o.hs_revision = c.hs_revision
)
SELECT * FROM known
UNION ALL BY NAME
SELECT k.* REPLACE (s.hs_revision AS hs_revision)
FROM known k
JOIN same s ON s.hs6 = k.hs6 AND s.year = k.year AND s.theirs = k.hs_revision;

CREATE OR REPLACE MACRO splits_at(known_at) AS TABLE
SELECT e.*, s.grade, e.known_from > known_at AS is_hindsight
FROM core.element_splits e
JOIN core.sources s USING (source_id)
QUALIFY e.known_from <= known_at OR e.known_from = min(e.known_from) OVER (
    PARTITION BY e.group_mineral, e.mineral, e.country, e.stage
);

CREATE OR REPLACE MACRO production_stated_at(as_of, known_at) AS TABLE
WITH
row_in_use AS (
    SELECT
        p.*,
        s.publisher,
        s.grade,
        (p.known_from <= known_at AND p.year <= year(as_of::DATE)) AS was_known
    FROM core.production p
    JOIN core.sources s USING (source_id)
    WHERE p.production_t_best IS NOT NULL
    QUALIFY was_known OR (
        NOT bool_or(was_known) OVER (PARTITION BY p.mineral, p.stage, p.country)
        AND p.known_from = min(p.known_from) OVER (PARTITION BY p.mineral, p.stage, p.country)
    )
),
-- A newer edition of the same form by the same source replaces the older; forms within one source add up.
edition AS (
    SELECT * FROM row_in_use
    QUALIFY row_number() OVER (
        PARTITION BY mineral, stage, country, year, source_id, form ORDER BY known_from DESC, vintage DESC, qualifier
    ) = 1
),
claim AS (
    SELECT
        mineral, stage, country, year, source_id, publisher, grade,
        sum(production_t_low) AS t_low,
        sum(production_t_best) AS t_best,
        sum(production_t_high) AS t_high,
        min(qualifier) AS qualifier,
        max(known_from) AS known_from,
        bool_or(NOT was_known) AS is_hindsight
    FROM edition
    GROUP BY mineral, stage, country, year, source_id, publisher, grade
    -- One publisher speaks once: its newest edition.
    QUALIFY rank() OVER (PARTITION BY mineral, stage, country, year, publisher ORDER BY max(known_from) DESC) = 1
)
SELECT
    mineral, stage, country, year,
    min(t_low) AS t_low,
    first(t_best ORDER BY grade, known_from DESC, source_id) AS t_best,
    max(t_high) AS t_high,
    first(qualifier ORDER BY grade, known_from DESC, source_id) AS qualifier,
    bool_or(is_hindsight) AS is_hindsight,
    first(source_id ORDER BY grade, known_from DESC, source_id) AS source_id,
    first(known_from ORDER BY grade, known_from DESC, source_id) AS known_from
FROM claim
GROUP BY mineral, stage, country, year;

-- The most specific split: country before *, stage before *, the mix of a country before one deposit, nearest year.
CREATE OR REPLACE MACRO production_split_at(as_of, known_at) AS TABLE
SELECT
    d.mineral AS group_mineral, d.stage, d.country, d.year, e.mineral, d.t_low, d.t_best, d.t_high,
    e.share_low, e.share_best, e.share_high, e.grade, e.split_id,
    (d.is_hindsight OR e.is_hindsight) AS is_hindsight,
    d.source_id,
    greatest(d.known_from, e.known_from) AS known_from
FROM production_stated_at(as_of, known_at) d
JOIN splits_at(known_at) e
    ON e.group_mineral = d.mineral AND e.country IN (d.country, '*') AND e.stage IN (d.stage, '*')
QUALIFY rank() OVER (
    PARTITION BY d.mineral, d.stage, d.country, d.year, e.mineral
    ORDER BY e.country = '*', e.stage = '*', e.deposit_type IS NOT NULL, abs(coalesce(e.year, d.year) - d.year)
) = 1;

CREATE OR REPLACE MACRO production_at(as_of, known_at) AS TABLE
WITH
derived AS (
    SELECT
        mineral, stage, country, year,
        min(t_low * share_low) AS t_low,
        first(t_best * share_best ORDER BY grade, known_from DESC, split_id) AS t_best,
        max(t_high * share_high) AS t_high,
        'derived' AS qualifier,
        bool_or(is_hindsight) AS is_hindsight,
        first(source_id ORDER BY grade, known_from DESC, split_id) AS source_id,
        max(known_from) AS known_from
    FROM production_split_at(as_of, known_at)
    GROUP BY mineral, stage, country, year
),
everything AS (
    SELECT * FROM production_stated_at(as_of, known_at)
    UNION ALL
    SELECT * FROM derived ANTI JOIN production_stated_at(as_of, known_at) USING (mineral, stage, country, year)
)
SELECT
    mineral, stage, country, year,
    t_low AS production_t_low,
    t_best AS production_t_best,
    t_high AS production_t_high,
    qualifier, is_hindsight, source_id, known_from
FROM everything;

CREATE OR REPLACE MACRO reserves_at(as_of, known_at) AS TABLE
WITH
row_in_use AS (
    SELECT
        r.*,
        s.publisher,
        s.grade,
        (r.known_from <= known_at AND r.year <= year(as_of::DATE)) AS was_known
    FROM core.reserves r
    JOIN core.sources s USING (source_id)
    WHERE r.reserves_t IS NOT NULL
    QUALIFY was_known OR (
        NOT bool_or(was_known) OVER (PARTITION BY r.mineral, r.country, r.claim_kind)
        AND r.known_from = min(r.known_from) OVER (PARTITION BY r.mineral, r.country, r.claim_kind)
    )
),
edition AS (
    SELECT * FROM row_in_use
    QUALIFY row_number() OVER (
        PARTITION BY mineral, country, claim_kind, year, source_id, form
        ORDER BY known_from DESC, vintage DESC, qualifier
    ) = 1
),
claim AS (
    SELECT
        mineral, country, claim_kind, year, source_id, publisher, grade,
        sum(reserves_t) AS t,
        max(known_from) AS known_from,
        bool_or(NOT was_known) AS is_hindsight
    FROM edition
    GROUP BY mineral, country, claim_kind, year, source_id, publisher, grade
    -- One publisher speaks once: its newest edition, and in it the newest year.
    QUALIFY rank() OVER (
        PARTITION BY mineral, country, claim_kind, publisher ORDER BY max(known_from) DESC, year DESC
    ) = 1
),
direct AS (
    SELECT
        mineral, country, claim_kind,
        min(t) AS t_low,
        first(t ORDER BY grade, known_from DESC, source_id) AS t_best,
        max(t) AS t_high,
        first(year ORDER BY grade, known_from DESC, source_id) AS year,
        bool_or(is_hindsight) AS is_hindsight,
        first(source_id ORDER BY grade, known_from DESC, source_id) AS source_id,
        first(known_from ORDER BY grade, known_from DESC, source_id) AS known_from
    FROM claim
    GROUP BY mineral, country, claim_kind
),
split AS (
    SELECT
        d.country, d.claim_kind, d.year, e.mineral, d.t_low, d.t_best, d.t_high,
        e.share_low, e.share_best, e.share_high, e.grade, e.split_id,
        (d.is_hindsight OR e.is_hindsight) AS is_hindsight,
        d.source_id,
        greatest(d.known_from, e.known_from) AS known_from
    FROM direct d
    JOIN splits_at(known_at) e
        ON e.group_mineral = d.mineral AND e.country IN (d.country, '*') AND e.stage IN ('mined', '*')
    QUALIFY rank() OVER (
        PARTITION BY d.mineral, d.country, d.claim_kind, e.mineral
        ORDER BY e.country = '*', e.stage = '*', e.deposit_type IS NOT NULL, abs(coalesce(e.year, d.year) - d.year)
    ) = 1
),
derived AS (
    SELECT
        mineral, country, claim_kind,
        min(t_low * share_low) AS t_low,
        first(t_best * share_best ORDER BY grade, known_from DESC, split_id) AS t_best,
        max(t_high * share_high) AS t_high,
        max(year) AS year,
        bool_or(is_hindsight) AS is_hindsight,
        first(source_id ORDER BY grade, known_from DESC, split_id) AS source_id,
        max(known_from) AS known_from
    FROM split
    GROUP BY mineral, country, claim_kind
),
everything AS (
    SELECT * FROM direct
    UNION ALL
    SELECT * FROM derived ANTI JOIN direct USING (mineral, country, claim_kind)
)
SELECT
    mineral, country, claim_kind, year,
    t_low AS reserves_t_low,
    t_best AS reserves_t_best,
    t_high AS reserves_t_high,
    is_hindsight, source_id, known_from
FROM everything;
