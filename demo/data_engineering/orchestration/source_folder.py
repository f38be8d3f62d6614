"""The folder that holds the shop's CSV export."""

from pathlib import Path

import dagster as dg
import pyarrow as pa
from pyarrow import csv

PROJECT = Path(__file__).parents[1]


class SourceFolder(dg.ConfigurableResource):
    """CSV files, read piece by piece so that a file may be larger than memory."""

    path: str

    def open_csv(self, name: str, *, columns: list[str]) -> pa.RecordBatchReader:
        """The *columns* of a file as text, exactly as it stands there.

        Raises:
            FileNotFoundError: The folder or the file is not there.
            KeyError: The file lacks one of the columns.
        """
        return csv.open_csv(
            PROJECT / self.path / name,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )
