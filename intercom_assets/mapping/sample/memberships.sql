-- Who is in which team. A user without a row is in none.
select
    user_id,
    team_id,
    updated_at
from memberships
