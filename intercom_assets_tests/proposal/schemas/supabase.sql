-- As Supabase has it: people in a schema of its own, a profile whose key is theirs, no teams.
create schema auth;
create table auth.users (
    id uuid primary key, email varchar(255), encrypted_password varchar(255), phone text, confirmation_token varchar(255),
    raw_user_meta_data jsonb, last_sign_in_at timestamptz, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, is_anonymous boolean default false not null
);
create table auth.sessions (id uuid primary key, user_id uuid not null references auth.users, created_at timestamptz);
create table auth.identities (id uuid primary key, user_id uuid not null references auth.users, email text, provider text not null);
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text, avatar_url text, timezone text);
insert into auth.users (id, email, created_at, updated_at) values
    ('00000000-0000-4000-8000-000000000001', 'ada@supabase.example', now(), now()), ('00000000-0000-4000-8000-000000000002', 'bo@supabase.example', now(), now());
insert into public.profiles values ('00000000-0000-4000-8000-000000000001', 'Ada Byron', null, 'Europe/London');
