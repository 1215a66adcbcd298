-- Who is in which team: one row for each user and team. A user without a row is in none; one in
-- several teams has several rows.
--
-- EDIT: your table's name, and your columns under these names. Where a user has one team at most,
-- that is: select id as user_id, team_id from your_users where team_id is not null
-- An app without teams: select null::bigint as user_id, null::bigint as team_id where false
select
    user_id,
    team_id
    -- updated_at                               -- polling sees a change by it
from your_memberships
