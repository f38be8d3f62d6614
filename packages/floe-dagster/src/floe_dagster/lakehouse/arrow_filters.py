"""Filters of the catalog applied to rows that do not come from it, with the same meaning."""

from collections.abc import Sequence

import pyarrow as pa
from pyiceberg.expressions import BooleanExpression
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids, expression_to_pyarrow
from pyiceberg.schema import assign_fresh_schema_ids

from floe_dagster.lakehouse.arrow_types import convert, storable_schema
from floe_dagster.lakehouse.columns import check_columns
from floe_dagster.lakehouse.row_filters import bind_filter, columns_of, parse_filter


class ArrowFilter:
    """The condition *text* over rows with the columns *known*.

    Raises:
        CatalogError: The text is no condition, or names another column.
    """

    def __init__(self, text: str | BooleanExpression, known: Sequence[str], *, table: str) -> None:
        self._text, self._table = text, table
        self._condition = parse_filter(text, table=table)
        self.columns = tuple(dict.fromkeys(name.partition(".")[0] for name in columns_of(self._condition)))
        check_columns(self.columns, known, table=table, used_by="the filter")

    def apply(self, batches: pa.RecordBatchReader) -> pa.Table:
        """The rows that fulfil the condition; the columns it looks at have the types that Iceberg has for them.

        Raises:
            CatalogError: A column cannot be compared with what stands beside it.
        """
        compared = storable_schema(pa.schema([batches.schema.field(name) for name in self.columns]), table=self._table)
        schema = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(compared))
        bound = bind_filter(self._condition, schema, text=self._text, table=self._table)
        condition = expression_to_pyarrow(bound, schema)
        empty = self._compared(batches.schema.empty_table(), compared)
        kept = [self._compared(pa.Table.from_batches([batch]), compared).filter(condition) for batch in batches]
        return pa.concat_tables([empty, *kept])

    def _compared(self, rows: pa.Table, schema: pa.Schema) -> pa.Table:
        converted = convert(rows.select(schema.names), schema, table=self._table)
        for field, column in zip(schema, converted.columns, strict=True):
            rows = rows.set_column(rows.schema.get_field_index(field.name), field, column)
        return rows
