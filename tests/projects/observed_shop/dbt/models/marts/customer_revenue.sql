select id, name, coalesce(total, {{ 1 if env_var('FAILS', 'nothing') == 'a unit test' else 0 }}) as revenue
from {{ ref('stg_customers') }} as customers
left join {{ ref('order_totals') }} as totals on totals.customer_id = customers.id
