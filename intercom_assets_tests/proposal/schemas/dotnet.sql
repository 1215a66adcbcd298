-- As ASP.NET Identity and EF Core have it: quoted names in a schema of their own, e-mails in citext, a profile that knows when.
create extension if not exists citext;
create schema identity;
create table identity."AspNetUsers" (
    "Id" uuid primary key, "UserName" varchar(256), "Email" citext, "EmailConfirmed" boolean not null, "PasswordHash" text, "SecurityStamp" text,
    "PhoneNumber" text, "LockoutEnd" timestamptz, "AccessFailedCount" int not null, "CreatedAt" timestamptz not null
);
create table identity."AspNetUserTokens" ("UserId" uuid references identity."AspNetUsers", "LoginProvider" text, "Name" text, "Value" text, primary key ("UserId", "LoginProvider", "Name"));
create type member_role as enum ('Owner', 'Member');
create table profiles (user_id uuid primary key references identity."AspNetUsers", full_name text, time_zone text, job_titles text[], last_seen_at timestamp, updated_at timestamptz not null);
create table organisations (id uuid primary key, name text not null, monthly_amount numeric(12, 2), created_at timestamptz not null);
create table memberships (organisation_id uuid references organisations, user_id uuid references identity."AspNetUsers", role member_role not null, primary key (organisation_id, user_id));
insert into identity."AspNetUsers" values
    ('00000000-0000-4000-8000-000000000001', 'ada', 'Ada@Example.com', true, 'hush', 'hush', null, null, 0, now()), ('00000000-0000-4000-8000-000000000002', 'bo', null, false, 'hush', 'hush', null, null, 0, now());
insert into profiles values ('00000000-0000-4000-8000-000000000001', 'Łukasz Byron', 'Europe/Warsaw', '{CEO}', '2026-01-02 03:04:05', now());
insert into organisations values ('00000000-0000-4000-8000-0000000000a1', 'Ünlü', 9.9, now());
insert into memberships values ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-000000000001', 'Owner');
