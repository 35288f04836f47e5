-- Tables of state.duckdb that are not facts. The tables of schema core are generated from warehouse/records/tables.py.
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS meta;

CREATE TABLE IF NOT EXISTS meta.schema_version (version INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS meta.facts (
    facts_hash VARCHAR NOT NULL,
    bundles VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS meta.rejected_row (
    file VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    "column" VARCHAR NOT NULL,
    value VARCHAR,
    reason VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS meta.ledger (
    run_id VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    known_at DATE NOT NULL,
    curbing_country VARCHAR NOT NULL,
    facts_hash VARCHAR NOT NULL,
    rules_hash VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    file VARCHAR,
    message VARCHAR
);
