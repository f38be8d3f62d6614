"""What every test stands on."""

pytest_plugins = ["plugins.requirements", "plugins.user_project", "pytester"]
