-- Keys of deliveries, apart from their rows: see sqlite/keys.rs.

drop index deliveries_by_content_key;
drop index deliveries_by_delivery_id;

-- key: the first 16 bytes of SHA-256 over which key it is, the source and the key.
create table delivery_keys (
    key blob primary key,
    delivery_id integer not null
) strict, without rowid;

-- The keys of all deliveries up to this one are in the table.
create table delivery_keys_settled (
    id integer primary key check (id = 1),
    up_to integer not null
) strict;

insert into delivery_keys_settled (id, up_to) values (1, 0);
