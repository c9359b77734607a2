-- state: 0 open, 1 done, 2 not done. An id is never used again: a late finish must not meet another intent.
create table intents (
    id bigint generated always as identity primary key,
    operation text not null,
    key text not null,
    details text not null,
    begun_at bigint not null,
    state bigint not null default 0,
    finished_at bigint,
    note text
);

create unique index intents_by_key on intents (operation, key);
create index intents_open on intents (id) where state = 0;
create index intents_finished on intents (finished_at) where state <> 0;

-- state: 0 held, 1 released, 2 deleted.
create table quarantine (
    file_id text collate "C" primary key,
    reason text not null,
    details text not null,
    quarantined_at bigint not null,
    state bigint not null default 0,
    changed_at bigint not null,
    note text
);

create index quarantine_decided on quarantine (changed_at) where state <> 0;

create table scans (
    subject text primary key,
    rank bigint not null,
    state text not null,
    at bigint not null
);

create index scans_by_age on scans (at);

-- Rows stay when a lease ends: the next token has to be larger.
create table leases (
    name text primary key,
    holder text not null,
    token bigint not null,
    expires_at bigint not null
);

create table shared_values (
    key text primary key,
    value text,
    expires_at bigint not null,
    token bigint not null
);

create table rate_grants (
    name text not null,
    at bigint not null,
    permits bigint not null,
    primary key (name, at)
);

create table probes (
    id bigint primary key check (id = 1),
    at bigint not null
);
