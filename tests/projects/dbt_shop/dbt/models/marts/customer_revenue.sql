select customers.id, countries.name as country, totals.total
from {{ ref('paid_totals') }} as totals
join {{ ref('stg_customers') }} as customers on customers.id = totals.customer_id
left join {{ ref('countries') }} as countries on countries.code = customers.country
