-- The SQL role that the sync connects with: the least rights that it needs, for the sample app's
-- tables. Copy it, put your tables and columns in, and run it once as their owner:
--
--   intercom-assets init-db            as the owner: makes the schema intercom_sync
--   intercom-assets install-capture    as the owner: makes the schema intercom_capture
--   psql --single-transaction --file role.sql "$APP_DATABASE_URL"
--   psql --command '\password intercom_sync' "$APP_DATABASE_URL"
--
-- From then on APP_DATABASE_URL names this role. `intercom-assets check` says, as a GRANT, what a
-- mapping needs that the role does not have. Run this file again after an upgrade of init-db.

do $$ begin
    create role intercom_sync login;
exception when duplicate_object then null;      -- run again after an upgrade
end $$;

-- What the mapping's SELECTs name, and nothing else: a password hash beside them cannot be read.
grant usage on schema public to intercom_sync;
grant select (
    id, email, name, phone_number, time_zone, created_at, last_request_at, oauth_provider,
    deleted_at, updated_at, plan, billing_period, subscribed_on, monthly_price_cents,
    sessions_this_month, minutes_this_month, metadata
) on users to intercom_sync;
grant select (
    id, domain, plan, monthly_spend, created_at, owner_id, updated_at, metadata
) on teams to intercom_sync;
grant select (user_id, team_id, updated_at) on memberships to intercom_sync;

-- What `write_back` in sync.yaml names; with `write_back: off`, nothing.
grant update (name, phone_number, time_zone, last_request_at, metadata) on users to intercom_sync;
grant update (metadata) on teams to intercom_sync;

-- The change log: read, and emptied. Rows are written by the triggers, with their owner's rights.
-- With `capture: polling`, nothing.
grant usage on schema intercom_capture to intercom_sync;
grant select, delete, update (keys) on intercom_capture.change_log to intercom_sync;
grant select on sequence intercom_capture.not_logged to intercom_sync;

-- The sync's own tables. Where SYNC_DATABASE_URL names another database, this belongs there.
grant usage on schema intercom_sync to intercom_sync;
grant select, insert, update, delete on all tables in schema intercom_sync to intercom_sync;
grant usage on all sequences in schema intercom_sync to intercom_sync;
