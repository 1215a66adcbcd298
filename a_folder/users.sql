-- The users, one row each. This list is all that ever leaves your app: a column that is not
-- selected here stays here. `intercom-assets check` shows what becomes of each column, and who wins.
--
-- EDIT: your table's name, and your columns under these names (`mail as email`). Leave out what you
-- do not have; only id and email are required.
--
-- The query is read with `where id = any(...)` around it. So select the table's own id (`id`, not
-- `id::text`) and use no window functions: either makes every read visit every row.
select
    -- What Intercom has fields for.
    id,                                         -- becomes the contact's external_id
    email,
    name,
    -- phone_number,
    -- time_zone,                               -- an IANA name such as Europe/London, or Rails' own
    created_at                                  -- times carry a zone; where yours do not:
                                                --   created_at at time zone 'UTC' as created_at
    -- last_request_at,                         -- when the user was last seen
    -- unsubscribed_from_emails,                -- true: opted out of e-mails; see your-own-app.md
    -- email_verified,                          -- true: the address is the person's
    -- avatar_url,                              -- the address of a picture
    -- owner_email,                             -- of the teammate who owns the contact, or owner_id
    -- labels as tags,                          -- an array of text; see your-own-app.md
    -- oauth_provider is not null as from_oauth,    -- true: name and phone are nobody's to type
    -- deleted_at,                              -- set: the contact is marked as deleted
    -- updated_at,                              -- read, never sent; polling sees a change by it

    -- Every other column is a custom attribute of the same name, of the type that it has in SQL:
    -- text, a number, true or false, a date or a time with zone. Intercom shares names across
    -- contacts and companies, so no name may be in teams.sql too.
    -- plan as subscription_plan,
    -- 'https://app.example.com/admin/users/' || id as admin_link
from your_users
