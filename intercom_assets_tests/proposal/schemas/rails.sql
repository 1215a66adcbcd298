-- As Rails and Devise make it: no foreign keys between most tables, times without a zone.
create table users (
    id bigserial primary key, email varchar default '' not null,
    encrypted_password varchar default '' not null, reset_password_token varchar unique,
    reset_password_sent_at timestamp, remember_created_at timestamp, sign_in_count integer default 0 not null,
    current_sign_in_at timestamp, last_sign_in_at timestamp, current_sign_in_ip inet, last_sign_in_ip inet,
    confirmation_token varchar, confirmed_at timestamp, otp_secret varchar, otp_required_for_login boolean,
    first_name varchar, last_name varchar, time_zone varchar, phone varchar, role integer default 0 not null,
    stripe_customer_id varchar, settings jsonb default '{}' not null, discarded_at timestamp,
    created_at timestamp(6) not null, updated_at timestamp(6) not null
);
create table accounts (
    id bigserial primary key, name varchar not null, owner_id bigint, plan varchar default 'free' not null,
    subdomain varchar unique, created_at timestamp(6) not null, updated_at timestamp(6) not null
);
create table account_users (
    id bigserial primary key, account_id bigint not null, user_id bigint not null, role varchar,
    deleted_at timestamp, created_at timestamp(6) not null, updated_at timestamp(6) not null
);
create unique index on account_users (account_id, user_id);
create index on account_users (user_id);
create table account_invitations (
    id bigserial primary key, account_id bigint not null, invited_by_id bigint, user_id bigint, email varchar not null,
    token varchar not null, created_at timestamp not null, updated_at timestamp not null
);
create table admin_users (id bigserial primary key, email varchar not null, encrypted_password varchar not null,
    created_at timestamp not null, updated_at timestamp not null);
create table projects (id bigserial primary key, account_id bigint not null, user_id bigint, name varchar);
create table versions (id bigserial primary key, item_type varchar, item_id bigint, whodunnit varchar, object text);
create table schema_migrations (version varchar primary key);
create table ar_internal_metadata (key varchar primary key, value varchar);

insert into users (email, encrypted_password, first_name, last_name, phone, time_zone, discarded_at, created_at, updated_at) values
    ('ada@rails.example', '$2a$hush', 'Ada', 'Byron', '+442071838750', 'London', null, '2025-01-02 03:04:05', now()),
    ('bo@rails.example', '$2a$hush', 'Bo', null, null, null, null, '2025-02-02', now()),
    ('cy@rails.example', '$2a$hush', null, null, null, null, '2026-01-01', '2025-03-02', now());
insert into accounts (name, owner_id, created_at, updated_at) values ('North', 1, '2025-01-01', now()), ('South', 2, '2025-01-01', now());
insert into account_users (account_id, user_id, deleted_at, created_at, updated_at) values
    (1, 1, null, now(), now()), (1, 2, null, now(), now()), (2, 2, null, now(), now()), (2, 1, now(), now(), now());
