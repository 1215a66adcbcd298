select
    g.id,
    g.name,
    (select count(*) from auth_user_groups as m where m.group_id = g.id)::integer as size
from auth_group as g
