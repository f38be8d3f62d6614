select
    {{ known('customerID') }} as customer_id,
    {{ known('companyName') }} as company_name,
    {{ known('contactName') }} as contact_name,
    {{ known('contactTitle') }} as contact_title,
    {{ known('address') }} as address,
    {{ known('city') }} as city,
    {{ known('region') }} as region,
    {{ known('postalCode') }} as postal_code,
    {{ known('country') }} as country,
    {{ known('phone') }} as phone,
    {{ known('fax') }} as fax
from {{ source('bronze', 'customers') }}
