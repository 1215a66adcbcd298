-- As Laravel with Jetstream makes it: the owner of a team has no row in the table between.
create table users (
    id bigserial primary key, name varchar(255) not null, email varchar(255) not null unique, email_verified_at timestamp(0),
    password varchar(255) not null, remember_token varchar(100), two_factor_secret text, two_factor_recovery_codes text,
    current_team_id bigint, profile_photo_path varchar(2048), created_at timestamp(0), updated_at timestamp(0), deleted_at timestamp(0)
);
create table teams (
    id bigserial primary key, user_id bigint not null, name varchar(255) not null, personal_team boolean not null,
    created_at timestamp(0), updated_at timestamp(0)
);
create index on teams (user_id);
create table team_user (
    id bigserial primary key, team_id bigint not null, user_id bigint not null, role varchar(255),
    created_at timestamp(0), updated_at timestamp(0), unique (team_id, user_id)
);
create table team_invitations (id bigserial primary key, team_id bigint not null references teams, email varchar(255) not null, role varchar(255));
create table password_reset_tokens (email varchar(255) primary key, token varchar(255) not null, created_at timestamp(0));
create table personal_access_tokens (id bigserial primary key, tokenable_type varchar(255), tokenable_id bigint, token varchar(64));
create table sessions (id varchar(255) primary key, user_id bigint, payload text not null, last_activity integer not null);
insert into users (name, email, password, created_at, updated_at) values ('Ada', 'ada@laravel.example', 'hush', now(), now()), ('Bo', 'bo@laravel.example', 'hush', now(), now());
insert into teams (user_id, name, personal_team, created_at, updated_at) values (1, 'North', false, now(), now());
insert into team_user (team_id, user_id) values (1, 2);
