select id, ordered_at::date as day, amount
from {{ ref('stg_orders') }}
where amount > {{ "error('the till is broken')::double" if env_var('FAILS', 'nothing') == 'a model' else 20 }}
