-- The users, one row each. This list is all that ever leaves the app: a column that is not selected
-- here stays here. `intercom-assets check` shows what becomes of each column, and who wins.
--
-- The query is read as it is, with `where id = any(...)` around it. So keep the table's own id
-- (`id`, not `id::text`), and no window functions: either makes every read visit every row.
select
    -- What Intercom has fields for. Only id and email are required; leave out what you do not have.
    id,                                         -- becomes the contact's external_id
    email,
    name,
    phone_number,
    time_zone,                                  -- an IANA name such as Europe/London, or Rails' own
    created_at,                                 -- times carry a zone; where yours do not:
    last_request_at,                            --   created_at at time zone 'UTC' as created_at
    oauth_provider is not null as from_oauth,   -- their name and phone are nobody's to type
    deleted_at,                                 -- set: the contact is marked as deleted
    updated_at,                                 -- read, never sent

    -- Every other column is a custom attribute of the same name, of the type that it has in SQL.
    -- Names are shared with those of teams.sql; no name may be in both.
    'https://app.example.com/admin/users/' || id as admin_link,
    'https://app.example.com/cobrowse/' || id as cobrowsing_link,
    plan as subscription_plan,
    billing_period,
    subscribed_on,
    case
        -- A year in advance costs ten months, so whoever pays by the month could save two.
        when billing_period = 'month' and monthly_price_cents > 0 then
            'Annual saving $'
            || to_char((monthly_price_cents * 12 - monthly_price_cents * 10) / 100, 'FM999,999,999')
    end as annual_saving,
    sessions_this_month as monthly_usage,
    minutes_this_month as monthly_minutes
from users
