"""What every test stands on."""

pytest_plugins = ["plugins.requirements", "pytester"]
