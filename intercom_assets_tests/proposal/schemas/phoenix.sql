-- As Phoenix makes it: citext, inserted_at, tokens beside, organizations with memberships.
create extension if not exists citext;
create table users (id bigserial primary key, email citext not null unique, hashed_password varchar, confirmed_at timestamp(0), inserted_at timestamp(0) not null, updated_at timestamp(0) not null);
create table users_tokens (id bigserial primary key, user_id bigint not null references users, token bytea not null, context varchar, sent_to varchar, inserted_at timestamp(0) not null);
create table organizations (id bigserial primary key, name varchar, inserted_at timestamp(0) not null, updated_at timestamp(0) not null);
create table memberships (id bigserial primary key, user_id bigint references users, organization_id bigint not null references organizations, invited_by_id bigint references users, inserted_at timestamp(0), updated_at timestamp(0));
create index on memberships (user_id);
insert into users (email, inserted_at, updated_at) values ('ada@phoenix.example', now(), now()), ('bo@phoenix.example', now(), now());
insert into organizations (name, inserted_at, updated_at) values ('North', now(), now());
insert into memberships (user_id, organization_id, invited_by_id) values (1, 1, 2), (null, 1, 1);
