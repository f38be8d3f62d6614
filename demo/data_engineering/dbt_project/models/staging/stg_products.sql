select
    {{ known('productID') }}::bigint as product_id,
    {{ known('productName') }} as product_name,
    {{ known('supplierID') }}::integer as supplier_id,
    {{ known('categoryID') }}::integer as category_id,
    {{ known('quantityPerUnit') }} as quantity_per_unit,
    {{ known('unitPrice') }}::decimal(12, 2) as list_price,
    {{ known('unitsInStock') }}::integer as units_in_stock,
    {{ known('unitsOnOrder') }}::integer as units_on_order,
    {{ known('reorderLevel') }}::integer as reorder_level,
    {{ known('discontinued') }} = '1' as is_discontinued
from {{ source('bronze', 'products') }}
