select user_id, group_id as team_id
from auth_user_groups
