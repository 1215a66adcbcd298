select
    person_no as id,
    mail as email,
    full_name as name,
    joined at time zone 'UTC' as created_at,
    gone at time zone 'UTC' as deleted_at,
    modified at time zone 'UTC' as updated_at,
    tier
from export.people
