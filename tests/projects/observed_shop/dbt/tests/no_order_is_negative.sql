select id from {{ ref('orders_so_far') }} where amount < {{ 25 if var('fails') == 'a test' else 0 }}
