select shipments.id from {{ source('bronze', 'shipments') }} as shipments, {{ source('outside', 'rates') }} as rates
