select id from {{ ref('orders_so_far') }} where amount < {{ 25 if env_var('FAILS', 'nothing') == 'a test' else 0 }}
