-- The statements on our own tables, by name (see queries.py). READ COMMITTED throughout.
--
-- Whoever locks several queue rows locks them in the order of (kind, key): two transactions that
-- meet wait, they do not deadlock. `now()` is when the transaction began; none stays open for long.
-- Chunks travel as one JSON document per statement. Rows of the queue are looked up key by key
-- (lateral, scalar subquery): the table grows from nothing to a hundred thousand rows between two
-- analyzes, and by its stale statistics the planner would read all of it for every chunk.
--
-- A text whose name begins with _ stands in others as {its name}. A statement with {kind} in its
-- name is two: of user and contact, of team and company ({other}).

-- name: enqueue
-- Every call raises the number, so a run that leased the row before will not delete it. nextval in
-- the update runs with the row locked: numbers of one row only grow. The delay counts from the change,
-- so that `due_at` less its delay is since when the app has it.
insert into intercom_sync.queue as q (kind, key, lane, cause, first_at, due_at, needs_read)
select %(kind)s, c.key, %(lane)s, %(cause)s, least(to_timestamp(c.since), now()),
       least(to_timestamp(c.since), now()) + make_interval(secs => c.delay), %(needs_read)s
from unnest(%(keys)s::text[], %(delays)s::float8[], %(since)s::float8[]) as c (key, delay, since)
order by c.key collate "C"
on conflict (kind, key) do update set
    seq = nextval('intercom_sync.queue_seq'),
    lane = least(q.lane, excluded.lane),
    cause = case when excluded.lane < q.lane or q.cause = '' then excluded.cause else q.cause end,
    due_at = least(q.due_at, excluded.due_at),
    again_at = least(q.again_at, excluded.due_at),
    needs_read = q.needs_read or excluded.needs_read,
    again_read = q.again_read or excluded.needs_read

-- name: enqueue_missing
-- A row that waits is left as it is. One that is being worked on is told to look again.
insert into intercom_sync.queue as q (kind, key, lane, cause)
select %(kind)s, c.key, %(lane)s, %(cause)s
from unnest(%(keys)s::text[]) as c (key)
order by c.key collate "C"
on conflict (kind, key) do update set
    seq = nextval('intercom_sync.queue_seq'),
    again_at = least(q.again_at, now())
where q.claim_until > now()

-- name: _waits_since
-- A row waits since it changed, or, if it was to be left for a while (`last_seen_every`), since that
-- ended: nobody is late by design. What failed waits since it first did.
case when last_error is null then greatest(first_at, least(due_at, now())) else first_at end

-- name: _take_chosen
update intercom_sync.queue q set
    claim_token = %(token)s, claim_run = %(run_id)s, claim_seq = seq,
    claim_until = now() + make_interval(secs => %(seconds)s),
    again_at = null, again_read = false
from chosen c
where q.kind = c.kind and q.key = c.key
returning q.key, q.seq, q.lane, q.cause, {_waits_since} as first_at, q.attempts, q.failed_hash,
          q.parked_at is not null as parked, q.parked_until,
          coalesce(q.parked_until <= now() or (q.seq = q.parked_seq and q.due_at <= now()
                   and q.parked_until is not null), false) as wait_is_over,
          q.needs_read, q.last_error as error

-- name: lease_due
with chosen as materialized (
    select kind, key
    from intercom_sync.queue
    where kind = %(kind)s and lane between %(first_lane)s and %(last_lane)s and due_at <= now()
      and (claim_until is null or claim_until <= now())
    order by lane, due_at
    limit %(limit)s
    for update skip locked
)
{_take_chosen}

-- name: lease_keys
-- Named rows also before they are due and while parked. Waits for a row that is locked for a moment.
with chosen as materialized (
    select q.kind, q.key
    from (select key from unnest(%(keys)s::text[]) as k (key) order by key collate "C") k
    cross join lateral (
        select kind, key, lane, claim_until from intercom_sync.queue
        where kind = %(kind)s and key = k.key
        offset 0    -- keeps the conditions below from choosing another index
        for update
    ) q
    where q.lane between %(first_lane)s and %(last_lane)s
      and (q.claim_until is null or q.claim_until <= now())
    limit %(limit)s
)
{_take_chosen}

-- name: add_run_member
insert into intercom_sync.run_member (run_id, kind, keys) values (%(run_id)s, %(kind)s, %(keys)s)

-- name: renew
-- A lease that ran out is not revived, even if nobody took it yet: some of its rows may be taken.
with mine as materialized (
    select kind, key from intercom_sync.queue
    where claim_token = %(token)s and claim_until > now()
    order by kind, key
    for update
)
update intercom_sync.queue q set claim_until = now() + make_interval(secs => %(seconds)s)
from mine m
where q.kind = m.kind and q.key = m.key

-- name: release
with mine as materialized (
    select kind, key from intercom_sync.queue
    where claim_token = %(token)s
    order by kind, key
    for update
)
update intercom_sync.queue q set
    claim_token = null, claim_run = null, claim_until = null, claim_seq = null,
    again_at = null, again_read = false
from mine m
where q.kind = m.kind and q.key = m.key

-- name: lock_rows
-- First statement of every recording: who is still ours. All rows are locked, also those taken over,
-- since they are queued again in the same transaction.
select q.key, q.ours
from (select key from unnest(%(keys)s::text[]) as k (key) order by key collate "C") k
cross join lateral (
    select key, claim_token is not distinct from %(token)s::uuid as ours
    from intercom_sync.queue
    where kind = %(kind)s and key = k.key
    for update
) q

-- name: finish_done
delete from intercom_sync.queue
where kind = %(kind)s and key = any(%(keys)s) and claim_token = %(token)s and seq = claim_seq

-- name: finish_rest
-- What changed since the lease is due when that change is (again_at), and no later.
update intercom_sync.queue q set
    due_at = least(case when q.seq <> q.claim_seq then coalesce(q.again_at, now()) end,
                   now() + make_interval(secs => e.delay), e.until, 'infinity'),
    first_at = case when e.done then least(q.again_at, now()) else q.first_at end,
    needs_read = case when e.done or e.known then q.again_read else q.needs_read end,
    attempts = e.attempts, last_error = e.error, failed_hash = e.hash,
    parked_at = case when e.parked then coalesce(q.parked_at, now()) end,
    parked_until = case when e.parked then
                       coalesce(e.until, now() + make_interval(secs => e.delay)) end,
    parked_seq = case when e.parked then q.claim_seq end,
    claim_token = null, claim_run = null, claim_until = null, claim_seq = null,
    again_at = null, again_read = false
from jsonb_to_recordset(%(endings)s::jsonb)
    as e (key text, done boolean, known boolean, parked boolean, delay float8,
          until timestamptz, attempts integer, hash text, error jsonb)
where q.kind = %(kind)s and q.key = e.key and q.claim_token = %(token)s

-- name: due
select count(*), min(key), coalesce(extract(epoch from now() - min(since)), 0)
from (
    select key, {_waits_since} as since
    from intercom_sync.queue
    where kind = %(kind)s and lane between %(first_lane)s and %(last_lane)s and due_at <= now()
      and (claim_until is null or claim_until <= now())
    order by lane, due_at
    limit %(at_most)s
) d

-- name: due_keys
select key, seq
from intercom_sync.queue
where kind = %(kind)s and lane between %(first_lane)s and %(last_lane)s and due_at <= now()
  and (claim_until is null or claim_until <= now())
order by lane, due_at
limit %(limit)s

-- name: in_work_among
select key from intercom_sync.queue
where kind = %(kind)s and key = any(%(keys)s) and claim_until > now()

-- name: depth
select kind,
       count(*) filter (where not leased and parked_at is null and due_at <= now()) as due,
       count(*) filter (where not leased and parked_at is null and due_at > now()) as later,
       count(*) filter (where leased) as leased,
       count(*) filter (where not leased and parked_at is not null) as parked,
       coalesce(extract(epoch from now() - min(since)
                filter (where parked_at is null and (leased or due_at <= now()))), 0) as oldest_seconds
from (
    select *, coalesce(claim_until > now(), false) as leased,
           {_waits_since} as since
    from intercom_sync.queue
) q
group by kind

-- name: retry_parked
with chosen as materialized (
    select kind, key from intercom_sync.queue
    where kind = %(kind)s and parked_at is not null
      and (%(keys)s::text[] is null or key = any(%(keys)s))
    order by key
    for update
)
update intercom_sync.queue q set
    seq = nextval('intercom_sync.queue_seq'), lane = 0, due_at = now(), again_at = now(),
    attempts = 0, failed_hash = null, parked_at = null,
    parked_until = null, parked_seq = null
from chosen c
where q.kind = c.kind and q.key = c.key
returning q.key

-- name: forget_left_out_of_{kind}s
-- What Intercom refused, or somebody else kept writing over, is tried again with the next pass.
update intercom_sync.{kind}_link set memory = memory - 'left_out' - 'overwritten'
where memory ? 'left_out' and (%(keys)s::text[] is null or {kind}_id = any(%(keys)s))
  and exists (select from jsonb_each(memory -> 'left_out') as e
              where e.value ->> 0 in ('refused', 'contested'))
returning {kind}_id

-- name: left_out
-- Users and teams of whom a field is left out, counted by field and reason.
select kind, field, reason, count(*), min(key), min(why)
from (
    select 'user' as kind, user_id as key, e.key as field, e.value ->> 0 as reason, e.value ->> 1 as why
    from intercom_sync.user_link, jsonb_each(memory -> 'left_out') as e
    where memory ? 'left_out'
    union all
    select 'team', team_id, e.key, e.value ->> 0, e.value ->> 1
    from intercom_sync.team_link, jsonb_each(memory -> 'left_out') as e
    where memory ? 'left_out'
) l
group by kind, field, reason
order by kind desc, count(*) desc, field

-- name: {kind}s_left_out_for
-- Of whom one of these fields is left out, since nobody could write it.
select {kind}_id from intercom_sync.{kind}_link
where memory ? 'left_out' and exists (
    select from jsonb_each(memory -> 'left_out') as e
    where e.key = any(%(fields)s) and e.value ->> 0 = 'barred')

-- name: users_with_a_free_email
-- Whose address is left out, since a contact of another user held it, which has it no more or whose
-- user has left.
select w.user_id from intercom_sync.user_link w
left join intercom_sync.user_link h on h.contact_id = w.memory ->> 'email_held_by'
where w.memory ? 'email_held_by'
  and (%(ids)s::text[] is null or w.user_id = any(%(ids)s))
  and (%(holders)s::text[] is null or w.memory ->> 'email_held_by' = any(%(holders)s))
  and (lower(h.shadow ->> 'email')
           is distinct from lower(w.memory -> 'left_out' -> 'email' ->> 2)
       or h.base ->> 'deleted' = 'true')

-- name: wake_refused
-- Who waits since this call failed for everybody.
with chosen as materialized (
    select kind, key from intercom_sync.queue
    where last_error ->> 'endpoint' = %(endpoint)s and (last_error ->> 'everybodys')::boolean
      and parked_at is null and due_at > now()
    order by kind, key
    for update skip locked
)
update intercom_sync.queue q set due_at = now()
from chosen c
where q.kind = c.kind and q.key = c.key

-- name: failing
-- Not parked, and failed a few times in a row.
select kind, key, first_at, attempts + coalesce((last_error ->> 'tries')::integer, 0), last_error
from intercom_sync.queue
where parked_at is null and last_error is not null
  and attempts + coalesce((last_error ->> 'tries')::integer, 0) >= %(least)s
order by first_at, key
limit %(limit)s

-- name: queue_row
select first_at, nullif(due_at, 'infinity') as due_at, cause, attempts, parked_at, parked_until,
       last_error as error,
       case when claim_until > now() then claim_run end as in_work_by
from intercom_sync.queue
where kind = %(kind)s and key = %(key)s

-- name: parked
select kind, key, parked_at, attempts, last_error, parked_until
from intercom_sync.queue
where parked_at is not null and (%(kind)s::text is null or kind = %(kind)s)
order by parked_at desc, key
limit %(limit)s

-- name: user_links
-- A read that was asked for after the last pass (needs_read of the queue) counts here too.
select l.user_id, l.contact_id, l.row_hash, l.shadow, l.base, l.in_flight, l.memory,
       extract(epoch from l.shadow_read_at)::bigint as shadow_read_at,
       l.needs_read or coalesce(
           (select q.needs_read from intercom_sync.queue q where q.kind = 'user' and q.key = l.user_id),
           false) as needs_read,
       (select jsonb_object_agg(e.team_id, jsonb_build_array(e.company_id, e.state))
        from intercom_sync.edge e where e.user_id = l.user_id) as edges
from intercom_sync.user_link l
where l.user_id = any(%(ids)s)

-- name: team_links
select team_id, company_id, row_hash, shadow, base, memory,
       extract(epoch from shadow_read_at)::bigint as shadow_read_at
from intercom_sync.team_link
where team_id = any(%(ids)s)

-- name: {kind}s_by_{other}
select {other}_id, {kind}_id from intercom_sync.{kind}_link where {other}_id = any(%(ids)s)

-- name: note_teams_in_flight
-- Stays until the pass is recorded as done: whoever has the row next trusts no copy of ours.
update intercom_sync.queue set needs_read = true where kind = 'team' and key = any(%(keys)s)

-- name: note_team_values
insert into intercom_sync.team_link as l (team_id, memory)
select n.team_id, jsonb_build_object('in_flight', n.values)
from jsonb_to_recordset(%(notes)s::jsonb) as n (team_id text, values jsonb)
order by n.team_id collate "C"
on conflict (team_id) do update set memory = l.memory || jsonb_build_object(
    'in_flight', coalesce(l.memory -> 'in_flight', '{}') || (excluded.memory -> 'in_flight'))

-- name: note_in_flight
insert into intercom_sync.user_link as l (user_id, in_flight)
select n.user_id, n.values
from jsonb_to_recordset(%(notes)s::jsonb) as n (user_id text, values jsonb)
order by n.user_id collate "C"
on conflict (user_id) do update set in_flight = l.in_flight || excluded.in_flight

-- name: write_edges
insert into intercom_sync.edge as e (user_id, team_id, company_id, state)
select n.user_id, n.team_id, n.company_id, n.state
from jsonb_to_recordset(%(edges)s::jsonb)
    as n (user_id text, team_id text, company_id text, state text)
on conflict (user_id, team_id) do update set company_id = excluded.company_id, state = excluded.state
where (e.company_id, e.state) is distinct from (excluded.company_id, excluded.state)

-- name: delete_other_edges
delete from intercom_sync.edge e
where e.user_id = any(%(ids)s) and not exists (
    select from jsonb_to_recordset(%(edges)s::jsonb) as n (user_id text, team_id text)
    where n.user_id = e.user_id and n.team_id = e.team_id)

-- name: yield_{kind}_links
-- Users who lose their contact let go of it first: another user of the same chunk may get it.
update intercom_sync.{kind}_link l set {other}_id = null
from unnest(%(ids)s::text[], %(contacts)s::text[]) as n ({kind}_id, {other}_id)
where l.{kind}_id = n.{kind}_id and l.{other}_id <> coalesce(n.{other}_id, '')

-- name: owners_of_{kind}_links
select n.{kind}_id, l.{kind}_id
from unnest(%(ids)s::text[], %(contacts)s::text[]) as n ({kind}_id, {other}_id)
join intercom_sync.{kind}_link l on l.{other}_id = n.{other}_id and l.{kind}_id <> n.{kind}_id

-- name: write_user_links
insert into intercom_sync.user_link as l
    (user_id, contact_id, row_hash, shadow, shadow_read_at, base, in_flight, needs_read, memory)
select n.id, n.other_id, n.row_hash, n.shadow, to_timestamp(n.shadow_read_at), n.base, n.in_flight,
       n.needs_read, n.memory
from jsonb_to_recordset(%(links)s::jsonb)
    as n (id text, other_id text, row_hash text, shadow jsonb, shadow_read_at bigint, base jsonb,
          in_flight jsonb, needs_read boolean, memory jsonb)
order by n.id collate "C"
on conflict (user_id) do update set
    contact_id = excluded.contact_id, row_hash = excluded.row_hash, shadow = excluded.shadow,
    shadow_read_at = excluded.shadow_read_at, base = excluded.base, in_flight = excluded.in_flight,
    needs_read = excluded.needs_read, memory = excluded.memory
where l is distinct from excluded

-- name: user_identities
-- `left_before`: marked as deleted, and not since a day only.
select l.user_id as id, lower(l.shadow ->> 'email') as mark,
       (l.shadow ->> 'signed_up_at')::bigint as created_at,
       coalesce((l.base ->> 'deleted')::boolean, false) and not exists (
           select from intercom_sync.gone g
           where g.kind = 'user' and g.key = l.user_id and g.found_at > now() - interval '1 day'
       ) as left_before
from intercom_sync.user_link l
where l.contact_id is not null
  and lower(l.shadow ->> 'email') = any(array(select lower(m) from unnest(%(marks)s::text[]) m))

-- name: team_identities
select l.team_id as id, l.shadow ->> 'name' as mark,
       (l.shadow ->> 'remote_created_at')::bigint as created_at,
       coalesce((l.base ->> 'company_deleted')::boolean, false) and not exists (
           select from intercom_sync.gone g
           where g.kind = 'team' and g.key = l.team_id and g.found_at > now() - interval '1 day'
       ) as left_before
from intercom_sync.team_link l
where l.company_id is not null and l.shadow ->> 'name' = any(%(marks)s)

-- name: users_near
-- Linked users with an e-mail, next to one in the order of ids: no other order has an index.
(select user_id as id, lower(shadow ->> 'email') as mark
 from intercom_sync.user_link
 where user_id >= %(key)s and contact_id is not null and shadow ->> 'email' is not null
   and base ->> 'deleted' is distinct from 'true'
 order by user_id limit %(number)s)
union all
(select user_id, lower(shadow ->> 'email')
 from intercom_sync.user_link
 where user_id < %(key)s and contact_id is not null and shadow ->> 'email' is not null
   and base ->> 'deleted' is distinct from 'true'
 order by user_id desc limit %(number)s)

-- name: teams_near
(select team_id as id, shadow ->> 'name' as mark
 from intercom_sync.team_link
 where team_id >= %(key)s and company_id is not null and shadow ->> 'name' is not null
   and base ->> 'company_deleted' is distinct from 'true'
 order by team_id limit %(number)s)
union all
(select team_id, shadow ->> 'name'
 from intercom_sync.team_link
 where team_id < %(key)s and company_id is not null and shadow ->> 'name' is not null
   and base ->> 'company_deleted' is distinct from 'true'
 order by team_id desc limit %(number)s)

-- name: drop_new_links
-- Of ids that get another's link: what an attempt to make a contact may have noted.
delete from intercom_sync.user_link where user_id = any(%(new)s) and contact_id is null

-- name: drop_new_edges
delete from intercom_sync.edge where user_id = any(%(new)s)

-- name: move_links
-- Whoever was archived is live again by now.
update intercom_sync.user_link l set
    user_id = n.new_id, needs_read = true, memory = l.memory - 'archived'
from unnest(%(old)s::text[], %(new)s::text[]) as n (old_id, new_id)
where l.user_id = n.old_id

-- name: move_edges
update intercom_sync.edge e set user_id = n.new_id
from unnest(%(old)s::text[], %(new)s::text[]) as n (old_id, new_id)
where e.user_id = n.old_id

-- name: drop_queued
delete from intercom_sync.queue where kind = %(kind)s and key = any(%(keys)s) and claim_token = %(token)s

-- name: linked_{kind}s_among
select {kind}_id from intercom_sync.{kind}_link where {kind}_id = any(%(ids)s) and {other}_id is not null

-- name: count_edges_among
select count(*) from intercom_sync.edge where user_id = any(%(ids)s)

-- name: adopt_{kind}s
-- From a listing, before any pass: whoever is linked by now, on either side, stays as he is.
insert into intercom_sync.{kind}_link ({kind}_id, {other}_id, shadow, memory)
select n.id, n.other_id, n.shadow, n.memory
from jsonb_to_recordset(%(links)s::jsonb) as n (id text, other_id text, shadow jsonb, memory jsonb)
order by n.id collate "C"
on conflict do nothing

-- name: claim_contacts
insert into intercom_sync.user_link as l (user_id, contact_id)
select n.user_id, n.contact_id
from unnest(%(ids)s::text[], %(contacts)s::text[]) as n (user_id, contact_id)
order by n.user_id collate "C"
on conflict (user_id) do update set contact_id = excluded.contact_id

-- name: give_up_email
-- Nobody overruled anybody; and who left (`kept_off`) is not to bring the address back.
update intercom_sync.user_link
set base = base || '{"email": null}', needs_read = true,
    memory = case when %(kept_off)s::text is null then memory
             else jsonb_set(memory, '{accepted}', coalesce(memory -> 'accepted', '{}')
                  || jsonb_build_object('email', jsonb_build_array(%(kept_off)s::text, null))) end
where user_id = %(user_id)s

-- name: mark_others_contacts
insert into intercom_sync.user_link as l (user_id, memory)
select n.user_id, jsonb_build_object('others_contact', n.contact_id)
from unnest(%(ids)s::text[], %(contacts)s::text[]) as n (user_id, contact_id)
order by n.user_id collate "C"
on conflict (user_id) do update set memory = l.memory || excluded.memory

-- name: yield_to_external_ids
-- Of users whose contact carries another user's external id: nothing of it is theirs any more, but
-- who opted out did. `words`: opt-outs that the contact shows, for whose base knows of none.
with lost as (
    update intercom_sync.user_link l
    set contact_id = null, row_hash = null, shadow = null, shadow_read_at = null,
        base = n.words::jsonb || coalesce((select jsonb_object_agg(e.key, e.value)
                                           from jsonb_each(l.base) e
                                           where starts_with(e.key, 'opted out: ')), '{}'),
        in_flight = '{}', memory = '{}'
    from unnest(%(ids)s::text[], %(contacts)s::text[], %(words)s::text[])
        as n (user_id, contact_id, words)
    where l.contact_id = n.contact_id and l.user_id <> n.user_id
    returning l.user_id)
delete from intercom_sync.edge e using lost where e.user_id = lost.user_id

-- name: write_team_links
insert into intercom_sync.team_link as l
    (team_id, company_id, row_hash, shadow, shadow_read_at, base, memory)
select n.id, n.other_id, n.row_hash, n.shadow, to_timestamp(n.shadow_read_at), n.base, n.memory
from jsonb_to_recordset(%(links)s::jsonb)
    as n (id text, other_id text, row_hash text, shadow jsonb, shadow_read_at bigint, base jsonb,
          memory jsonb)
order by n.id collate "C"
on conflict (team_id) do update set
    company_id = excluded.company_id, row_hash = excluded.row_hash, shadow = excluded.shadow,
    shadow_read_at = excluded.shadow_read_at, base = excluded.base, memory = excluded.memory
where l is distinct from excluded

-- name: users_who_searched_leads
-- Each user that was ever inside the merge window has one address here, the last one searched.
select user_id from intercom_sync.user_link where memory ->> 'lead_email' = any(%(emails)s)

-- name: forget_refused_leads
update intercom_sync.user_link set memory = memory - 'refused_leads'
where user_id = any(%(ids)s) and memory ? 'refused_leads'

-- name: {kind}_hashes
select {kind}_id, row_hash from intercom_sync.{kind}_link where {kind}_id = any(%(ids)s)

-- name: linked_{kind}s_after
select {kind}_id from intercom_sync.{kind}_link
where {kind}_id > %(after)s and {other}_id is not null
order by {kind}_id
limit %(limit)s

-- name: {kind}s_in_step_after
-- Synced at least once, and not given up on since.
select l.{kind}_id, l.{other}_id from intercom_sync.{kind}_link l
where l.{kind}_id > %(after)s and l.memory ? 'synced_at' and l.{other}_id is not null
  and not exists (select from intercom_sync.queue q
                  where q.kind = '{kind}' and q.key = l.{kind}_id and q.parked_at is not null)
order by l.{kind}_id
limit %(limit)s

-- name: count_linked_{kind}s
select count(*) from intercom_sync.{kind}_link where {other}_id is not null

-- name: members_of_teams
select distinct user_id from intercom_sync.edge where team_id = any(%(ids)s) order by user_id

-- name: add_journal
insert into intercom_sync.journal
    (run_id, kind, key, action, field, side, old, new, why, request_id, policy, base)
select %(run_id)s, n.kind, n.key, n.action, n.field, n.side, n.old, n.new, n.why, n.request_id,
       n.policy, n.base
from rows from (jsonb_to_recordset(%(entries)s::jsonb) as (
         kind text, key text, action text, field text, side text, old jsonb, new jsonb, why text,
         request_id text, policy text, base jsonb)) with ordinality
    as n (kind, key, action, field, side, old, new, why, request_id, policy, base, place)
order by n.place

-- name: add_journal_once
-- What a run did that was killed or overtaken: it may say so itself, and so may who found it done.
insert into intercom_sync.journal
    (run_id, kind, key, action, field, side, old, new, why, request_id, policy, base)
select n.run_id, n.kind, n.key, n.action, n.field, n.side, n.old, n.new, n.why, n.request_id,
       n.policy, n.base
from (
    select coalesce(e.by, %(run_id)s) as run_id, e.*
    from rows from (jsonb_to_recordset(%(entries)s::jsonb) as (
             kind text, key text, action text, field text, side text, old jsonb, new jsonb, why text,
             request_id text, policy text, base jsonb, by text)) with ordinality
        as e (kind, key, action, field, side, old, new, why, request_id, policy, base, by, place)
) n
where not exists (
    select from intercom_sync.journal j
    where j.kind = n.kind and j.key = n.key and j.run_id = n.run_id and j.action = n.action
      and (j.field, j.old, j.new) is not distinct from (n.field, n.old, n.new))
order by n.place

-- name: journal_of_key
select id, at, run_id, kind, key, action, field, side, old, new, why, request_id, policy, base
from intercom_sync.journal
where kind = %(kind)s and key = %(key)s
order by id desc
limit %(limit)s

-- name: journal_of_run
select id, at, run_id, kind, key, action, field, side, old, new, why, request_id, policy, base
from intercom_sync.journal
where run_id = %(run_id)s
order by id

-- name: runs_like
-- Of the journal: ids that begin so; two are enough to know that it is not one.
select distinct run_id from intercom_sync.journal
where starts_with(run_id, %(start)s::text)
order by run_id
limit %(limit)s

-- name: count_journal
select action, count(*) from intercom_sync.journal where at >= %(since)s group by action

-- name: prune_journal
delete from intercom_sync.journal
where id = any(array(select id from intercom_sync.journal where at < %(before)s limit %(limit)s))

-- name: prune_members
delete from intercom_sync.run_member where at < %(before)s

-- name: prune_counters
delete from intercom_sync.counter where minute < %(before)s

-- name: run_members
select distinct m.kind, k.key
from intercom_sync.run_member m cross join unnest(m.keys) as k (key)
where m.run_id = %(run_id)s
order by m.kind, k.key

-- name: heartbeat
insert into intercom_sync.heartbeat as h (run_id, kind, alive_until)
values (%(run_id)s, %(kind)s, now() + make_interval(secs => %(seconds)s))
on conflict (run_id) do update set alive_until = excluded.alive_until

-- name: end_heartbeat
delete from intercom_sync.heartbeat where run_id = %(run_id)s

-- name: heartbeats
select run_id, kind, alive_until > now() as alive
from intercom_sync.heartbeat
order by started_at, run_id

-- name: add_tombstone
insert into intercom_sync.tombstone as t (user_id, receipt) values (%(user_id)s, %(receipt)s::jsonb)
on conflict (user_id) do update set receipt = t.receipt || excluded.receipt

-- name: tombstoned
select user_id from intercom_sync.tombstone where user_id = any(%(ids)s)

-- name: tombstones
select user_id, at, receipt from intercom_sync.tombstone
where user_id = any(coalesce(%(ids)s::text[], array[user_id]))
order by at, user_id

-- name: lift_tombstone
with lifted as (delete from intercom_sync.tombstone where user_id = %(user_id)s returning user_id, at)
insert into intercom_sync.lifted_tombstone (user_id, erased_at, lifted_by, reason)
select user_id, at, %(by)s, %(reason)s from lifted

-- name: lifted_tombstones
select user_id, erased_at, lifted_at, lifted_by, reason from intercom_sync.lifted_tombstone
order by id

-- name: forget_user_queue
delete from intercom_sync.queue where kind = 'user' and key = %(user_id)s

-- name: forget_user_link
delete from intercom_sync.user_link where user_id = %(user_id)s

-- name: forget_user_edges
delete from intercom_sync.edge where user_id = %(user_id)s

-- name: forget_user_journal
delete from intercom_sync.journal where kind = 'user' and key = %(user_id)s

-- name: forget_user_gone
delete from intercom_sync.gone where kind = 'user' and key = %(user_id)s

-- name: lock_gone
-- Runs that find somebody gone take turns, so that together they cannot exceed the limit.
lock table intercom_sync.gone in share row exclusive mode

-- name: note_gone
-- A row stays until a read returns its user: who was found gone once is not counted again each night.
insert into intercom_sync.gone (kind, key)
select %(kind)s, k.key from unnest(%(keys)s::text[]) as k (key)
on conflict (kind, key) do nothing
returning key

-- name: count_gone
select count(*) from intercom_sync.gone
where kind = %(kind)s and released_at is null and found_at >= now() - interval '1 day'

-- name: hold_gone
update intercom_sync.gone set held_at = now() where kind = %(kind)s and key = any(%(keys)s)

-- name: held_among
select key from intercom_sync.gone
where kind = %(kind)s and key = any(%(keys)s) and held_at is not null

-- name: found_gone
select key from intercom_sync.gone
where kind = %(kind)s and (%(keys)s::text[] is null or key = any(%(keys)s))

-- name: held_gone
select key, held_at from intercom_sync.gone
where kind = %(kind)s and held_at is not null
order by key

-- name: release_gone
update intercom_sync.gone set held_at = null, released_at = now()
where kind = %(kind)s and held_at is not null
returning key

-- name: forget_gone
delete from intercom_sync.gone where kind = %(kind)s and key = any(%(keys)s)

-- name: attributes
select name, model, data_type, id, custom, archived, api_writable
from intercom_sync.attribute_cache
where model = %(model)s
order by name

-- name: clear_attributes
delete from intercom_sync.attribute_cache where model = %(model)s

-- name: write_attributes
insert into intercom_sync.attribute_cache (model, name, id, data_type, custom, archived, api_writable)
select %(model)s, n.name, n.id, n.data_type, n.custom, n.archived, n.api_writable
from jsonb_to_recordset(%(attributes)s::jsonb)
    as n (name text, id bigint, data_type text, custom boolean, archived boolean, api_writable boolean)
on conflict (model, name) do nothing

-- name: get_state
select value, at from intercom_sync.workspace where key = %(key)s

-- name: put_state
insert into intercom_sync.workspace (key, value) values (%(key)s, %(value)s::jsonb)
on conflict (key) do update set value = excluded.value, at = now()

-- name: delete_state
delete from intercom_sync.workspace where key = %(key)s

-- name: delete_state_before
delete from intercom_sync.workspace where key = %(key)s and at <= %(at)s

-- name: count
insert into intercom_sync.counter as c (minute, name, value)
select date_trunc('minute', now(), 'UTC'), n.name, n.value
from unnest(%(names)s::text[], %(numbers)s::bigint[]) as n (name, value)
order by n.name
on conflict (minute, name) do update set value = c.value + excluded.value

-- name: counted
select minute, name, value from intercom_sync.counter
where minute >= %(since)s
order by minute, name

-- name: standing_of_contact
-- Whose the contact is; one that is not connected yet is its external id's user's, if that one waits.
with whose as (
    select coalesce(
        (select user_id from intercom_sync.user_link where contact_id = %(contact_id)s),
        (select q.key from intercom_sync.queue q
         where q.kind = 'user' and q.key = %(external_id)s
           and not exists (select from intercom_sync.user_link l
                           where l.user_id = q.key and l.contact_id is not null))
    ) as user_id
)
select w.user_id,
       l.contact_id is not null as linked,
       extract(epoch from now() - greatest(
           l.shadow_read_at,
           to_timestamp((l.memory ->> 'synced_at')::float8),
           (select j.at from intercom_sync.journal j
            where j.kind = 'user' and j.key = w.user_id order by j.id desc limit 1)
       ))::float8 as settled_ago,
       exists (select from intercom_sync.gone g where g.kind = 'user' and g.key = w.user_id) as gone,
       array(select jsonb_object_keys(coalesce(l.memory -> 'left_out', '{}')) order by 1) as left_out,
       q.key is not null as waits,
       q.cause, q.attempts, q.last_error as error,
       extract(epoch from now() - q.first_at)::float8 as waits_for,
       extract(epoch from nullif(q.due_at, 'infinity') - now())::float8 as due_in,
       extract(epoch from now() - q.parked_at)::float8 as parked_for,
       extract(epoch from q.parked_until - now())::float8 as parked_for_another,
       coalesce(q.claim_until > now(), false) as in_work
from whose w
left join intercom_sync.user_link l on l.user_id = w.user_id
left join intercom_sync.queue q on q.kind = 'user' and q.key = w.user_id
where w.user_id is not null

-- name: overruled_of_user
-- Of the last week, each field once; the latest first.
select field, (array_agg(policy order by id desc))[1] as policy, count(*) as times,
       extract(epoch from now() - max(at))::float8 as ago
from intercom_sync.journal
where kind = 'user' and key = %(user_id)s and action = 'overruled'
  and at > now() - interval '7 days' and field is not null
group by field
order by max(at) desc, field

-- name: counted_in_all
select name, sum(value)::bigint from intercom_sync.counter
where minute >= %(since)s and name = any(%(names)s)
group by name

-- name: known_notifications
select id from intercom_sync.notification where id = any(%(ids)s)

-- name: add_notifications
-- Those that are new: two processes may take the same one.
insert into intercom_sync.notification (id)
select n.id from unnest(%(ids)s::text[]) as n (id) order by n.id collate "C"
on conflict (id) do nothing
returning id

-- name: prune_notifications
delete from intercom_sync.notification where at < %(before)s

-- name: add_sync_now
insert into intercom_sync.sync_now as s (contact_id, tag_id, user_id)
select n.contact_id, n.tag_id, n.user_id
from unnest(%(contacts)s::text[], %(tags)s::text[], %(users)s::text[]) as n (contact_id, tag_id, user_id)
order by n.contact_id collate "C", n.tag_id collate "C"
on conflict (contact_id, tag_id) do update set user_id = excluded.user_id, at = now()

-- name: sync_now_of
select user_id, contact_id, tag_id from intercom_sync.sync_now where user_id = any(%(ids)s)

-- name: drop_sync_now
delete from intercom_sync.sync_now s
using unnest(%(contacts)s::text[], %(tags)s::text[]) as n (contact_id, tag_id)
where s.contact_id = n.contact_id and s.tag_id = n.tag_id

-- name: forget_user_sync_now
delete from intercom_sync.sync_now where user_id = %(user_id)s

-- name: schema_step
select coalesce(max(step), 0) from intercom_sync.schema_step
