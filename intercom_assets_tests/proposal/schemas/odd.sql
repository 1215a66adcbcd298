-- A plain one with a mind of its own: epoch times, a flag for deletion, a team in the user's row.
create table teams (
    team_no integer primary key, title text not null, created bigint not null, is_deleted boolean not null default false,
    labels varchar(20)[]
);
create table users (
    user_no integer primary key, email_address text not null, display_name text, passwd text not null, mobile text,
    team_id integer references teams, registered_at bigint not null, last_seen bigint, is_deleted boolean not null default false,
    modified bigint not null, tags text[], photo bytea
);
create table login_log (id bigserial primary key, user_no integer references users, at bigint, email_address text);
insert into teams values (10, 'North', 1735689600, false, '{big}'), (20, 'South', 1735689600000, true, null);
insert into users values
    (1, 'ada@odd.example', 'Ada', 'hush', '+442071838750', 10, 1735689600000, 1767225600000, false, 1767225600000, '{a}', 'x'),
    (2, 'bo@odd.example', null, 'hush', null, null, 1735689600, null, true, 1767225600, null, null),
    (3, 'cy@odd.example', null, 'hush', null, 20, 1735689600, null, false, 1767225600, null, null);
