"""What every test stands on."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["plugins.requirements", "plugins.user_project", "plugins.dbt_shop", "pytester"]

# On a machine that is busy with something else, slow is not wrong.
settings.register_profile("floe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# By hand: pytest --hypothesis-profile=long PATH
settings.register_profile("long", settings.get_profile("floe"), max_examples=5000)
settings.load_profile("floe")
