"""A project without dbt that has an entry of every kind: its modules and its two documents."""

SHOP = {
    "shop/__init__.py": "",
    "shop/assets.py": """
        import dagster as dg


        @dg.asset(group_name="bronze", key_prefix="bronze")
        def orders(api: dg.ResourceParam[object]) -> None: ...


        @dg.asset(group_name="gold", deps=[["bronze", "orders"]])
        def revenue() -> None: ...


        @dg.job
        def by_hand() -> None: ...
    """,
    "shop/work.py": """
        import dagster as dg


        class Api:
            def __init__(self, base: str = "") -> None:
                self.base = base


        def clean(context, days: int = 3): ...
        def alert(context): ...
        def keys(context): return ["eu"]
        def requests(context): return dg.SkipReason("nothing")
        def nightly(): return dg.AutomationCondition.eager()
    """,
}
SHOP_YAML = """
name: shop
orchestration:
  asset_modules: [shop.assets]
  partitions:
    daily: {type: time_window, start: "2024-01-01", end: "2025-01-01"}
    regions: {type: static, partition_keys: [eu, us]}
    shops: {type: dynamic, fn: shop.work.keys}
    both:
      type: multi
      partitions: {day: {type: time_window, start: "2024-01-01"}, region: {type: static, partition_keys: [eu]}}
  assets:
    "bronze/*": {partitions: daily, automation_condition: on_cron, backfill_policy: single_run, tags: {tier: "1"}}
    revenue:
      partitions: daily
      partition_column: day
      automation_condition: {target_function: shop.work.nightly}
      retry_policy: {max_retries: 3, delay: 10, backoff: exponential}
      freshness: {fail_after: 24h, warn_after: 12h}
  jobs:
    load:
      type: batch
      selection: ["group:bronze", "+revenue"]
      exclude: []
      executor: in_process
      max_retries: 2
      hooks: [{target_function: shop.work.alert, on: failure}]
    clean: {type: ops, target_function: shop.work.clean, args: {days: 30}}
  schedules:
    nightly: {job: load, cron_schedule: ["0 6 * * *", "@weekly"], timezone: Europe/Berlin, partition_selector: last:3}
    gold: {selection: ["group:gold"], cron_schedule: "@daily"}
    computed: {job: clean, cron_schedule: "@daily", target_function: shop.work.requests}
  sensors:
    arrival:
      type: file_watcher
      job: load
      path: incoming
      pattern: "*.csv"
      partition_pattern: '(?P<day>.*)\\.csv'
      partition_key: "{day}"
    follow: {type: asset_sensor, job: clean, watched_assets: [bronze/orders], trigger: all}
    failed: {type: run_status, status: FAILURE, watched_jobs: [load], target_function: shop.work.alert}
    check: {type: custom, job: clean, target_function: shop.work.requests}
    conditions: {type: automation, selection: ["group:gold"]}
  backfills:
    year: {job: load, partition_range: {start: "2024-01-01", end: "2024-03-31"}, batch_size: 5}
"""
SHOP_PLATFORM = "resources: {api: {target: shop.work.Api, args: {base: x}}}\nexecution: {default: {type: in_process}}\n"
