-- The change log in the app's database, and the triggers that write it.
--
-- Statement by statement as `install-capture` runs it; braces are filled with quoted identifiers.
-- The log is append only: one row per statement of the app, with the keys that it touched. No
-- trigger ever waits for another transaction, and none may let the app's statement fail.

-- name: schema
create schema if not exists intercom_capture;

-- name: log
create table if not exists intercom_capture.change_log (
    id    bigint generated always as identity primary key,
    kind  text not null,
    keys  text[] not null,
    -- The watch whose SELECT turns these keys into ids when the log is drained; null: they are ids.
    via   text,
    -- By which a write-back finds its own rows.
    txid  xid8 not null default pg_current_xact_id(),
    at    timestamptz not null default now()
)
-- Rows come and go; a vacuum that truncates would make the app's triggers wait.
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = off);

-- name: closed_schema
revoke all on schema intercom_capture from public;

-- name: closed_log
revoke all on intercom_capture.change_log from public;

-- name: not_logged
-- Counts the statements of the app that could not be logged; a sequence forgets nothing that is
-- rolled back, and needs no right on the log.
create sequence if not exists intercom_capture.not_logged

-- name: closed_not_logged
revoke all on sequence intercom_capture.not_logged from public;

-- name: restart_not_logged
alter sequence intercom_capture.not_logged restart;

-- name: function
-- Whatever goes wrong here, the app's statement goes on: what cannot be listed is logged as "sweep
-- now", and where the log itself cannot be written to, that is counted (`check` is red then).
-- A watched column that is gone or has become virtual (which no trigger may ask for), and a
-- statement of more rows than a log row should hold, are logged as "sweep now"; so is a MERGE that
-- sets what its table is partitioned by: PostgreSQL 15 to 18 hand over no row that it moved.
-- A log whose rows were restored before its sequence was has ids that come again: they are skipped.
create or replace function intercom_capture.{function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp {spelling}
as $intercom_capture$
#variable_conflict use_column
declare
    log_ids regclass;
    changed text[];
begin
    if to_regclass('intercom_capture.change_log') is null then
        return null;
    end if;
    if tg_op = 'TRUNCATE' or not exists (
        select from pg_attribute
        where attrelid = tg_relid and attname = {column_name} and not attisdropped
            and attgenerated <> 'v'
    ) then
        changed := array['*'];
    elsif tg_op = 'UPDATE' and current_query() ~* '\mmerge\M' and exists (
        select from regexp_matches(
            current_query(), '\mset\M(.*?)(?:\mwhen\s+(?:not\s+)?matched|\mreturning\M|$)', 'gi'
        ) as assigned (text)
        join pg_partition_tree(tg_relid) as tree on true
        join pg_partitioned_table as p on p.partrelid = tree.relid
        cross join unnest(p.partattrs::int2[]) as part (attnum)
        left join pg_attribute as a on a.attrelid = p.partrelid and a.attnum = part.attnum
        where part.attnum = 0 or position(lower(a.attname) in lower(assigned.text[1])) > 0
    ) then
        changed := array['*'];
    elsif tg_op = 'INSERT' then
        changed := array(
            select distinct n.{column}::text from new_rows as n
            where n.{column} is not null limit 100001
        );
    elsif tg_op = 'DELETE' then
        changed := array(
            select distinct o.{column}::text from old_rows as o
            where o.{column} is not null limit 100001
        );
    else
        changed := array(
            select n.{column}::text from new_rows as n where n.{column} is not null
            union
            select o.{column}::text from old_rows as o where o.{column} is not null
            limit 100001
        );
    end if;
    if cardinality(changed) > 100000 then
        changed := array['*'];
    end if;
    if cardinality(changed) > 0 then
        insert into intercom_capture.change_log (kind, keys, via)
        values ({kind}, changed, {via});
    end if;
    return null;
exception when others then
    begin
        if sqlstate = '23505' then
            log_ids := pg_get_serial_sequence('intercom_capture.change_log', 'id');
            perform setval(log_ids, greatest(pg_sequence_last_value(log_ids), max(id)))
            from intercom_capture.change_log;
        else
            changed := array['*'];
        end if;
        insert into intercom_capture.change_log (kind, keys, via)
        values ({kind}, changed, {via});
    exception when others then
        begin
            raise log 'intercom_capture: a change of %.% was not logged (SQLSTATE %)',
                tg_table_schema, tg_table_name, sqlstate;
            perform nextval('intercom_capture.not_logged');
        exception when others then
            null;
        end;
    end;
    return null;
end
$intercom_capture$;

-- name: spelling
-- Values as text that every session reads the same, however the app's own session writes them.
set datestyle = 'ISO, YMD' set timezone = 'UTC' set intervalstyle = 'iso_8601'
set extra_float_digits = 1 set bytea_output = 'hex' set lc_monetary = 'C'

-- name: closed_function
revoke all on function intercom_capture.{function}() from public;

-- name: insert
create trigger {trigger} after insert on {table}
referencing new table as new_rows
for each statement execute function intercom_capture.{function}();

-- name: update
create trigger {trigger} after update on {table}
referencing old table as old_rows new table as new_rows
for each statement execute function intercom_capture.{function}();

-- name: delete
create trigger {trigger} after delete on {table}
referencing old table as old_rows
for each statement execute function intercom_capture.{function}();

-- name: truncate
create trigger {trigger} after truncate on {table}
for each statement execute function intercom_capture.{function}();

-- name: enable
-- Also where session_replication_role is replica, as in some bulk loads.
alter table only {table} enable always trigger {trigger};

-- name: drop_trigger
drop trigger if exists {trigger} on {table};

-- name: drop_function
drop function if exists intercom_capture.{function}();

-- name: drop_log
drop table if exists intercom_capture.change_log;

-- name: drop_not_logged
drop sequence if exists intercom_capture.not_logged;

-- name: drop_schema
drop schema if exists intercom_capture;
