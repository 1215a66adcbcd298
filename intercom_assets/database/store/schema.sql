-- The sync's own tables: what is due, what we know of each user and team, what was done and why.
--
-- Every "-- step N: what" starts one step. A new database runs them all, an older one those that
-- it has not had, each in one transaction with its row in schema_step. A step that was released
-- is never edited: write the next one. No copy of the app's rows belongs here.
--
-- Keys of users and teams are collated "C": one order, hence one order of locks, on every server.

-- step 1: the queue, links, journal and caches

create table intercom_sync.schema_step (
    step integer primary key,
    done_at timestamptz not null default now()
);

-- One row per user or team that may differ now: ten edits are one row. `seq` is raised by every
-- change; a run leases the row, remembers the number in claim_seq, commits, *then* reads the app,
-- and deletes the row only where the number is still the one it leased.
create sequence intercom_sync.queue_seq;
create table intercom_sync.queue (
    kind text not null check (kind in ('user', 'team')),
    key text collate "C" not null,
    seq bigint not null default nextval('intercom_sync.queue_seq'),
    lane smallint not null,                         -- 0 live, 1 bulk: live changes go first
    cause text not null default '',
    first_at timestamptz not null default now(),    -- since when it waits
    due_at timestamptz not null default now(),      -- 'infinity': parked until its row changes
    needs_read boolean not null default false,      -- Intercom's side is to be read before deciding
    again_at timestamptz,                           -- changed since the lease: when that is due
    again_read boolean not null default false,      -- changed since the lease: it asked for a read
    attempts integer not null default 0,            -- rejections in a row
    last_error jsonb,                               -- message, field, code, request_id
    failed_hash text,                               -- hash of the app's row that was rejected
    parked_at timestamptz,                          -- given up on since
    claim_token uuid,
    claim_run text,
    claim_until timestamptz,
    claim_seq bigint,
    primary key (kind, key),
    check (num_nulls(claim_token, claim_run, claim_until, claim_seq) in (0, 4))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index queue_due on intercom_sync.queue (kind, lane, due_at);
create index queue_claim on intercom_sync.queue (claim_token) where claim_token is not null;
create index queue_parked on intercom_sync.queue (parked_at) where parked_at is not null;

-- Renewed by a timer while a run lives: one whose row ran out is dead, however Dagster sees it.
create table intercom_sync.heartbeat (
    run_id text primary key,
    kind text not null,
    started_at timestamptz not null default now(),
    alive_until timestamptz not null
);

-- What a run leased, one row per lease: a re-executed run replays it.
create table intercom_sync.run_member (
    run_id text not null,
    kind text not null check (kind in ('user', 'team')),
    keys text[] not null,
    at timestamptz not null default now()
);
create index run_member_run on intercom_sync.run_member (run_id);
create index run_member_at on intercom_sync.run_member using brin (at);

-- All that earlier passes left us about one user. `shadow` is Intercom's side, from its last
-- answer by id; `base` what both sides agreed on last; `in_flight` what was about to be sent.
create table intercom_sync.user_link (
    user_id text collate "C" primary key,
    contact_id text collate "C",
    row_hash text,
    shadow jsonb,
    shadow_read_at timestamptz,
    base jsonb not null default '{}',
    in_flight jsonb not null default '{}',
    needs_read boolean not null default false,
    memory jsonb not null default '{}'              -- accepted and refused values and the like
);
create unique index user_link_contact on intercom_sync.user_link (contact_id)
    where contact_id is not null;

create table intercom_sync.team_link (
    team_id text collate "C" primary key,
    company_id text collate "C",
    row_hash text,
    shadow jsonb,
    shadow_read_at timestamptz,
    base jsonb not null default '{}',
    memory jsonb not null default '{}'
);
create unique index team_link_company on intercom_sync.team_link (company_id)
    where company_id is not null;

-- Memberships that we made in Intercom. 'attaching' is written before the call and the row is
-- deleted only after a detach was answered, so a crash between leaves us the owner.
create table intercom_sync.edge (
    user_id text collate "C" not null,
    team_id text collate "C" not null,
    company_id text not null,
    state text not null check (state in ('attaching', 'attached', 'detaching')),
    primary key (user_id, team_id)
);
create index edge_team on intercom_sync.edge (team_id);

-- Every write, and every decision against somebody's edit. `explain` reads it by key, `undo` by run.
create table intercom_sync.journal (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    run_id text not null,
    kind text not null,
    key text collate "C" not null,
    action text not null,
    field text,
    side text check (side in ('app', 'intercom')),
    old jsonb,
    new jsonb,
    why text not null default '',
    request_id text
);
create index journal_key on intercom_sync.journal (kind, key, id);
create index journal_run on intercom_sync.journal (run_id, id);
create index journal_at on intercom_sync.journal using brin (at);

-- Users who were erased on request: never created again.
create table intercom_sync.tombstone (
    user_id text collate "C" primary key,
    at timestamptz not null default now(),
    receipt jsonb not null default '{}'
);

-- Linked users and teams that a successful read no longer returned; held ones wait for an operator.
create table intercom_sync.gone (
    kind text not null check (kind in ('user', 'team')),
    key text collate "C" not null,
    found_at timestamptz not null default now(),
    held_at timestamptz,
    released_at timestamptz,
    primary key (kind, key)
);
create index gone_found on intercom_sync.gone (kind, found_at);

create table intercom_sync.attribute_cache (
    model text not null check (model in ('contact', 'company')),
    name text not null,
    id bigint,
    data_type text not null,
    custom boolean not null,
    archived boolean not null,
    api_writable boolean not null,
    primary key (model, name)
);

-- What we know of the workspace and of ourselves: its time zone, watermarks, the last sweep.
create table intercom_sync.workspace (
    key text primary key,
    value jsonb not null,
    at timestamptz not null default now()
);

-- What was counted in each minute: calls, 429s and the like, for `status`.
create table intercom_sync.counter (
    minute timestamptz not null,
    name text not null,
    value bigint not null,
    primary key (minute, name)
);

-- step 2: who searched for a lead's address

-- A lead that turns up wakes whoever searched for its e-mail. Early versions of step 1 had it.
create index if not exists user_link_lead on intercom_sync.user_link ((memory ->> 'lead_email'))
    where memory ? 'lead_email';

-- step 3: what a decision was made on, for `explain`

alter table intercom_sync.journal
    add column policy text,                         -- who wins this field, as the mapping had it
    add column base jsonb;                          -- what both sides had agreed on last

-- step 4: until when a row is parked, where that is known

alter table intercom_sync.queue
    add column parked_until timestamptz,            -- then it is tried again, changed or not
    add column parked_seq bigint;                   -- due at this number: the wait is over
update intercom_sync.queue set
    parked_seq = seq,
    parked_until = least(due_at, parked_at + interval '8 days'),
    due_at = least(due_at, parked_at + interval '8 days')
where parked_at is not null
  and (due_at < 'infinity' or last_error ->> 'message' like '%still holds this identity');

-- step 5: a key for every table, for publications of all tables

-- Where the app publishes all its tables, PostgreSQL refuses to delete from one without a key.
alter table intercom_sync.run_member
    add column id bigint generated always as identity primary key;

-- step 6: whom a field is left out of

create index user_link_left_out on intercom_sync.user_link (user_id) where memory ? 'left_out';
create index team_link_left_out on intercom_sync.team_link (team_id) where memory ? 'left_out';

-- step 7: whose e-mail or name it was, for ids that were switched

create index user_link_email on intercom_sync.user_link ((lower(shadow ->> 'email')))
    where contact_id is not null;
create index team_link_name on intercom_sync.team_link ((shadow ->> 'name'))
    where company_id is not null;

-- step 8: erasures that were taken back, and why

create table intercom_sync.lifted_tombstone (
    id bigint generated always as identity primary key,
    user_id text collate "C" not null,
    erased_at timestamptz not null,
    lifted_at timestamptz not null default now(),
    lifted_by text not null,
    reason text not null
);

-- step 9: what Intercom sent

-- Notifications that were taken: one that is delivered twice changes nothing. Pruned after two days.
create table intercom_sync.notification (
    id text collate "C" primary key,
    at timestamptz not null default now()
);
create index notification_at on intercom_sync.notification using brin (at);

-- Contacts that somebody tagged to be synced now. The pass takes the tag off and deletes the row.
create table intercom_sync.sync_now (
    contact_id text collate "C" not null,
    tag_id text collate "C" not null,
    user_id text collate "C" not null,
    at timestamptz not null default now(),
    primary key (contact_id, tag_id)
);
create index sync_now_user on intercom_sync.sync_now (user_id);

-- step 10: who waits for an address that another user's contact holds

create index user_link_email_held on intercom_sync.user_link ((memory ->> 'email_held_by'))
    where memory ? 'email_held_by';
