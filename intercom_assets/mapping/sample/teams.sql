-- The teams, one row each; a team is a company in Intercom. As in users.sql, this list is all that
-- leaves the app, and the query is read with `where id = any(...)` around it.
select
    -- What Intercom has fields for. Only id is required.
    id,                                         -- becomes the company's company_id
    domain as name,
    plan,
    round(monthly_spend)::integer as monthly_spend,         -- Intercom holds whole units
    (select count(*) from memberships where memberships.team_id = teams.id)::integer as size,
    created_at,
    owner_id,                                   -- read, never sent
    updated_at,                                 -- read, never sent

    -- Every other column is a custom attribute. Its name must not be one of users.sql, since
    -- Intercom shares names across contacts and companies: hence team_admin_link.
    'https://app.example.com/admin/teams/' || id as team_admin_link,
    'https://app.example.com/admin/users/' || owner_id as owner_admin_link
from teams
