-- state: 0 open, 1 done, 2 not done. An id is never used again: a late finish must not meet another intent.
create table intents (
    id integer primary key autoincrement,
    operation text not null,
    key text not null,
    details text not null,
    begun_at integer not null,
    state integer not null default 0,
    finished_at integer,
    note text
) strict;

create unique index intents_by_key on intents (operation, key);
create index intents_open on intents (id) where state = 0;
create index intents_finished on intents (finished_at) where state <> 0;

-- state: 0 held, 1 released, 2 deleted.
create table quarantine (
    file_id text primary key,
    reason text not null,
    details text not null,
    quarantined_at integer not null,
    state integer not null default 0,
    changed_at integer not null,
    note text
) strict, without rowid;

create index quarantine_decided on quarantine (changed_at) where state <> 0;

create table scans (
    subject text primary key,
    rank integer not null,
    state text not null,
    at integer not null
) strict, without rowid;

create index scans_by_age on scans (at);

-- Rows stay when a lease ends: the next token has to be larger.
create table leases (
    name text primary key,
    holder text not null,
    token integer not null,
    expires_at integer not null
) strict, without rowid;

create table shared_values (
    key text primary key,
    value text,
    expires_at integer not null,
    token integer not null
) strict, without rowid;

create table rate_grants (
    name text not null,
    at integer not null,
    permits integer not null,
    primary key (name, at)
) strict, without rowid;

create table probes (
    id integer primary key check (id = 1),
    at integer not null
) strict;
