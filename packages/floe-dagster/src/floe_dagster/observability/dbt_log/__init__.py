"""What dbt does, read from the log that it writes in JSON. Imports neither Dagster nor dbt."""
