"""The dbt project: what is compiled of it, its assets, and how dbt is called."""
