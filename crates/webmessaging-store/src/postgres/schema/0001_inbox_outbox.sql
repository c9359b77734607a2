-- state: 0 ready, 1 leased, 2 done, 3 dead, 4 dropped.
-- due_at: when it can be claimed; of a leased one, when its lease runs out.

create table deliveries (
    id bigint generated always as identity primary key,
    source text not null,
    delivery_id text,
    content_key text not null,
    event_type text not null,
    received_at bigint not null,
    body bytea not null,
    state bigint not null default 0,
    due_at bigint not null,
    fence bigint not null default 0,
    attempt bigint not null default 0,
    worker text,
    reason text,
    note text,
    changed_at bigint not null,
    buried_at bigint
);

create unique index deliveries_by_content_key on deliveries (source, content_key);
create unique index deliveries_by_delivery_id on deliveries (source, delivery_id) where delivery_id is not null;
create index deliveries_open on deliveries (due_at, id) where state < 2;
create index deliveries_dead on deliveries (state, buried_at) where state >= 3;
create index deliveries_settled on deliveries (received_at) where state in (2, 4);

-- head: no earlier item of its lane is ready, leased or dead. Only heads can be claimed, so that a claim does not look at what
-- is held up, however much that is.
create table items (
    id bigint generated always as identity primary key,
    target text not null,
    lane text,
    idempotency_key text not null,
    kind text not null,
    payload bytea not null,
    enqueued_at bigint not null,
    head boolean not null,
    state bigint not null default 0,
    due_at bigint not null,
    fence bigint not null default 0,
    attempt bigint not null default 0,
    worker text,
    reason text,
    note text,
    changed_at bigint not null,
    buried_at bigint,
    -- When it failed for the first time.
    failing_since bigint
);

create unique index items_by_key on items (target, idempotency_key);
create index items_open on items (target, head, due_at, id, state, enqueued_at) where state < 2;
create index items_in_lane on items (target, lane, id) where lane is not null and state in (0, 1, 3);
create index items_dead on items (state, buried_at) where state >= 3;
create index items_settled on items (state, changed_at, target) where state in (2, 4);

-- What a dead letter was before it was edited; the keys stay known.
create table item_edits (
    id bigint generated always as identity primary key,
    item_id bigint not null references items (id) on delete cascade,
    target text not null,
    idempotency_key text not null,
    payload bytea not null,
    replaced_at bigint not null
);

create unique index item_edits_by_key on item_edits (target, idempotency_key);
create index item_edits_by_item on item_edits (item_id);
