select
    {{ known('orderID') }}::bigint as order_id,
    {{ known('customerID') }} as customer_id,
    {{ known('employeeID') }}::integer as employee_id,
    {{ known('orderDate') }}::timestamp as ordered_at,
    {{ known('requiredDate') }}::timestamp as required_at,
    {{ known('shippedDate') }}::timestamp as shipped_at,
    {{ known('shipVia') }}::integer as shipper_id,
    {{ known('freight') }}::decimal(12, 2) as freight,
    {{ known('shipCity') }} as ship_city,
    {{ known('shipRegion') }} as ship_region,
    {{ known('shipPostalCode') }} as ship_postal_code,
    {{ known('shipCountry') }} as ship_country
from {{ source('bronze', 'orders') }}
