"""What every test stands on."""

pytest_plugins = ["plugins.requirements", "plugins.user_project", "plugins.dbt_shop", "pytester"]
