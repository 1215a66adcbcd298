-- The teams, one row each; a team is a company in Intercom. As in users.sql, this list is all that
-- leaves your app.
--
-- EDIT: your table's name, and your columns under these names. An app without teams:
--   select null::bigint as id, null::text as name where false
select
    -- What Intercom has fields for. Only id is required.
    id,                                         -- becomes the company's company_id
    name,
    -- plan,
    -- round(monthly_spend)::integer as monthly_spend,      -- Intercom holds whole units
    -- labels as tags,                          -- an array of text; see your-own-app.md
    -- website,
    -- industry,
    -- (select count(*) from your_memberships m where m.team_id = your_teams.id)::integer as size,
    created_at
    -- deleted_at,                              -- set: the company is marked as deleted
    -- updated_at,                              -- read, never sent; polling sees a change by it

    -- Every other column is a custom attribute; no name of users.sql.
    -- 'https://app.example.com/admin/teams/' || id as team_admin_link
from your_teams
