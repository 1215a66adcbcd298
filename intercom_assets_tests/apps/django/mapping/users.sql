select
    u.id,
    u.email,
    nullif(trim(concat(u.first_name, ' ', u.last_name)), '') as name,
    p.phone as phone_number,
    p.timezone as time_zone,
    u.date_joined as created_at,
    u.last_login as last_request_at,
    case when not u.is_active then u.date_joined end as deleted_at,

    u.username,
    p.marketing_ok,
    s.state as subscription_state,
    plan.label as subscription_plan,
    plan.monthly_price,
    s.renews_on
from auth_user as u
left join accounts_profile as p on p.user_id = u.id
left join billing.subscription as s on s.user_id = u.id and s.state <> 'cancelled'
left join billing.plan as plan on plan.code = s.plan_code
