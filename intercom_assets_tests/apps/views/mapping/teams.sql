select
    account_no as id,
    title as name,
    round(turnover)::integer as monthly_spend,
    modified at time zone 'UTC' as updated_at
from export.accounts
