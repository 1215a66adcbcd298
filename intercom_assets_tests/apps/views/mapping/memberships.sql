select person_no as user_id, account_no as team_id, modified at time zone 'UTC' as updated_at
from export.seats
