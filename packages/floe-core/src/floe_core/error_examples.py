"""What is wrong and what is right, for every code of `error_codes`: in a document, in Python, in SQL or in a shell."""

from typing import NamedTuple


class Example(NamedTuple):
    """Something that gets the code, and the same put right."""

    wrong: str
    right: str


ERROR_EXAMPLES: dict[str, Example] = {
    # ---- 10x: YAML
    "FLOE-101": Example('name: "shop', 'name: "shop"'),
    "FLOE-102": Example("name: shop\nname: store", "name: shop"),
    "FLOE-103": Example("name: !Ref shop", "name: shop"),
    "FLOE-104": Example("x-ids: {1: eu}", "x-ids: {'1': eu}"),
    "FLOE-105": Example("x-tags: *common", "x-common: &common {team: data}\nx-tags: *common"),
    "FLOE-106": Example("name: shop\n---\nname: store", "name: shop"),
    "FLOE-107": Example("- name: shop", "name: shop"),
    "FLOE-108": Example("name: shop\x07", "name: shop"),
    "FLOE-109": Example("orchestration:\n\tjobs: {}", "orchestration:\n  jobs: {}"),
    # ---- 11x: values from the environment
    "FLOE-110": Example("name: ${NAME", "name: ${NAME}"),
    "FLOE-111": Example("name: ${SHOP_NAME}", "name: ${SHOP_NAME:shop}"),
    "FLOE-112": Example(
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.copy, args: {offset: '${OFFSET:-5}'}}",
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.copy, args: {offset: '${OFFSET:--5}'}}",
    ),
    "FLOE-113": Example(
        "orchestration:\n  jobs:\n    'load_${ENV}': {type: batch, selection: '*'}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: {env: '${ENV:local}'}}",
    ),
    # ---- 12x: the schema
    "FLOE-120": Example("orchestration:\n  jbos: {}", "orchestration:\n  jobs: {}"),
    "FLOE-121": Example(
        "orchestration:\n  jobs:\n    load: {type: batch}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:bronze']}",
    ),
    "FLOE-122": Example(
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: nightly}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: {when: nightly}}",
    ),
    "FLOE-123": Example(
        "orchestration:\n  dbt: {observability_level: per_modle}",
        "orchestration:\n  dbt: {observability_level: per_model}",
    ),
    "FLOE-124": Example(
        "orchestration:\n  jobs:\n    load: {type: bach, selection: '*'}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}",
    ),
    "FLOE-125": Example(
        "orchestration:\n  schedules:\n    nightly: {selection: '*', cron_schedule: '0 25 * * *'}",
        "orchestration:\n  schedules:\n    nightly: {selection: '*', cron_schedule: '0 23 * * *'}",
    ),
    "FLOE-126": Example(
        "observability: {lineage_api_key: ab12cd34}",
        "observability: {lineage_api_key: {secret_ref: MARQUEZ_KEY}}",
    ),
    # ---- 13x: files and folders
    "FLOE-130": Example("floe validate   # in a folder without a floe.yaml", "floe validate --project shop"),
    "FLOE-131": Example("chmod a-w .floe && floe compile", "chmod u+w .floe && floe compile"),
    "FLOE-132": Example("cd 'shop #2' && floe run load", "mv 'shop #2' shop_2 && cd shop_2 && floe run load"),
    # ---- 20x: names
    "FLOE-203": Example(
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}\n"
        "  schedules:\n    nightly: {job: laod, cron_schedule: '@daily'}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}\n"
        "  schedules:\n    nightly: {job: load, cron_schedule: '@daily'}",
    ),
    "FLOE-204": Example(
        "orchestration:\n  schedules:\n    orders: {selection: '*', cron_schedule: '@daily'}\n"
        "  sensors:\n    orders: {type: file_watcher, selection: '*', path: incoming}",
        "orchestration:\n  schedules:\n    orders: {selection: '*', cron_schedule: '@daily'}\n"
        "  sensors:\n    orders_arrival: {type: file_watcher, selection: '*', path: incoming}",
    ),
    # ---- 21x: the two tiers
    "FLOE-210": Example(
        "orchestration:\n  jobs:\n    copy:\n      type: ops\n      target_function: shop.ops.copy\n"
        "      args: {to: 's3://data-lake/raw'}",
        "# platform.yaml: resources: {lake: {target: shop.lake.Lake, args: {bucket: data-lake}}}\n"
        "# shop/ops.py:   def copy(context, lake): …\n"
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.ops.copy}",
    ),
    "FLOE-211": Example(
        "orchestration:\n  jobs:\n    copy:\n      type: ops\n      target_function: shop.ops.copy\n"
        "      args: {password: hunter2hunter2}",
        "# platform.yaml: resources: {api: {target: shop.api.Api, args: {password: {secret_ref: API_PASSWORD}}}}\n"
        "# shop/ops.py:   def copy(context, api): …\n"
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.ops.copy}",
    ),
    "FLOE-212": Example(
        "path: /data/eu-west-1/orders   # floe: allow",
        "path: /data/eu-west-1/orders   # floe: allow FLOE-210 - the folder is called after its region",
    ),
    "FLOE-213": Example("job: load   # floe: allow FLOE-210 - it was a place once", "job: load"),
    # ---- 22x: compiled artifacts
    "FLOE-220": Example("dagster job list   # in a fresh checkout", "floe compile && dagster job list"),
    "FLOE-221": Example(
        "vi floe.yaml && dagster job list   # compiled before the change",
        "vi floe.yaml && floe compile && dagster job list",
    ),
    "FLOE-222": Example("head -c 100 artifacts.json > .floe/compiled_artifacts.json", "floe compile"),
    "FLOE-223": Example("pip install -U floe-dagster   # with artifacts of the old version", "floe compile"),
    "FLOE-224": Example(
        "floe compile   # floe.yaml: dbt: {target: prod}, which is loaded later", "floe compile --target prod"
    ),
    # ---- 23x: platform.yaml
    "FLOE-230": Example(
        "FLOE_PLATFORM_ENV=prdo floe validate   # the folder is platform/prod", "FLOE_PLATFORM_ENV=prod floe validate"
    ),
    "FLOE-231": Example("storage: lake   # platform.yaml: storage: {default: …}", "storage: default"),
    "FLOE-232": Example(
        "catalogs: {default: {type: sql, uri: 'sqlite:///catalog.db'}}\n"
        "execution: {default: {type: k8s, job_image: shop}}",
        "catalogs: {default: {type: rest, uri: 'https://polaris.internal/api/catalog', warehouse: prod}}\n"
        "execution: {default: {type: k8s, job_image: shop}}",
    ),
    # ---- 30x: the project's Python modules
    "FLOE-301": Example("asset_modules: [shop.asets]", "asset_modules: [shop.assets]"),
    "FLOE-302": Example("def orders(:", "def orders():"),
    "FLOE-303": Example("LIMIT = int(os.environ['LIMIT'])", "LIMIT = int(os.environ.get('LIMIT', '10'))"),
    "FLOE-304": Example("import polrs", "import polars"),
    "FLOE-305": Example("def orders(): …", "@floe_asset()\ndef orders(): …"),
    "FLOE-306": Example("asset_modules: [definitions]   # it calls the factory", "asset_modules: [shop.*]"),
    "FLOE-307": Example("@floe_asset(inputs=['orders'])", "@floe_asset(inputs=['bronze.orders'])"),
    # ---- 31x: references to Python objects
    "FLOE-311": Example("target_function: shop.ops.vacum", "target_function: shop.ops.vacuum"),
    "FLOE-312": Example("target_function: shop.ops.RETENTION_DAYS", "target_function: shop.ops.vacuum"),
    "FLOE-313": Example("class Translator: …", "class Translator(dagster_dbt.DagsterDbtTranslator): …"),
    "FLOE-314": Example(
        "args: {dayz: 30}   # def vacuum(context, days: int)", "args: {days: 30}   # def vacuum(context, days: int)"
    ),
    "FLOE-319": Example("tests: [not_null]   # dbt: the property was renamed", "data_tests: [not_null]"),
    # ---- 32x: dbt
    "FLOE-320": Example(
        "dbt: {manifest_path: target/manifest.json}   # with neither manifest nor dbt project",
        "dbt: {project_dir: dbt}",
    ),
    "FLOE-321": Example("dbt: {manifest_path: target/run_results.json}", "dbt: {manifest_path: target/manifest.json}"),
    "FLOE-322": Example("meta: {dagster: {asset_key: orders}}", "meta: {dagster: {asset_key: [silver, orders]}}"),
    "FLOE-323": Example("dbt: {project_dir: models}", "dbt: {project_dir: dbt}   # the folder with dbt_project.yml"),
    "FLOE-324": Example("dbt: {profiles_dir: ~/.dbt}   # without a profiles.yml in it", "dbt: {project_dir: dbt}"),
    "FLOE-325": Example("pip install floe-dagster", "pip install floe-dagster dbt-core dbt-duckdb"),
    "FLOE-326": Example(
        "dbt: {manifest_path: ../store/target/manifest.json, project_dir: shop}",
        "dbt: {manifest_path: target/manifest.json, project_dir: shop}",
    ),
    "FLOE-327": Example("select * from {{ ref('stg_ordres') }}", "select * from {{ ref('stg_orders') }}"),
    "FLOE-328": Example("floe compile   # with a packages.yml", "dbt deps && floe compile"),
    "FLOE-329": Example("dbt: {select: ['tag:nighlty']}", "dbt: {select: ['tag:nightly']}"),
    # ---- 33x: selections
    "FLOE-330": Example(
        "orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:']}",
        "orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:bronze']}",
    ),
    "FLOE-331": Example("selection: ['group:bronz']", "selection: ['group:bronze']"),
    "FLOE-332": Example("selection: [orders]   # bronze/orders and silver/orders", "selection: [bronze/orders]"),
    "FLOE-333": Example("selection: [raw/orders]   # a table of somebody else", "selection: ['raw/orders+']"),
    "FLOE-334": Example("selection: ['group:bronze', '!group:bronze']", "selection: ['group:bronze']"),
    "FLOE-335": Example(
        "-- tests/totals.sql, over models with different partitions\nselect …",
        "-- tests/totals.sql\n{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}\nselect …",
    ),
    # ---- 34x: partitions, and what launches assets on its own
    "FLOE-340": Example("partition_selector: 2023-12-31   # start: 2024-01-01", "partition_selector: 2024-01-01"),
    "FLOE-341": Example("def shops(): return {'eu': 1, 'us': 2}", "def shops(): return ['eu', 'us']"),
    "FLOE-342": Example(
        "where day = '{{ var('partition_key') }}'   -- with backfill_policy: single_run",
        "where day >= '{{ var('partition_start') }}' and day < '{{ var('partition_end') }}'",
    ),
    "FLOE-343": Example(
        "time_window with cron_schedule '0 0 * * 1' over a model with batch_size: month",
        "time_window with cron_schedule '0 0 1 * *' over a model with batch_size: month",
    ),
    "FLOE-344": Example(
        "a: {type: automation, selection: '*'}\nb: {type: automation, selection: 'group:gold'}",
        "a: {type: automation, selection: '* and not group:gold'}\nb: {type: automation, selection: 'group:gold'}",
    ),
    "FLOE-345": Example(
        "conditions: {type: automation, selection: 'group:bronze'}   # no condition in that group",
        "conditions: {type: automation, selection: 'group:gold'}",
    ),
    "FLOE-346": Example(
        "orchestration:\n  assets:\n    '*': {automation_condition: eagr}",
        "orchestration:\n  assets:\n    '*': {automation_condition: eager}",
    ),
    "FLOE-347": Example(
        "automation_condition: on_cron   # an asset without a time window",
        "automation_condition: on_cron('0 6 * * *')",
    ),
    "FLOE-348": Example(
        "automation_condition: eager   # an asset without upstreams", "automation_condition: on_missing"
    ),
    "FLOE-349": Example(
        "assets: {orders: {automation_condition: eager}}\n"
        "schedules: {nightly: {selection: orders, cron_schedule: '@daily'}}",
        "assets: {orders: {automation_condition: on_cron('0 0 * * *')}}",
    ),
    # ---- 35x: jobs and what launches them
    "FLOE-350": Example(
        "a Dagster object of your code that Dagster refuses in this place", "the same, as Dagster's message says"
    ),
    "FLOE-351": Example(
        "sales: {type: batch, selection: [daily_orders, weekly_totals]}",
        "days: {type: batch, selection: [daily_orders]}\nweeks: {type: batch, selection: [weekly_totals]}",
    ),
    "FLOE-352": Example(
        "jobs: {orders: {type: batch, selection: [orders]}}", "jobs: {orders_job: {type: batch, selection: [orders]}}"
    ),
    "FLOE-353": Example("config: {ops: {orders: {limit: 10}}}", "config: {ops: {orders: {config: {limit: 10}}}}"),
    "FLOE-354": Example(
        "hooks: [shop.hooks.notify]   # a plain function",
        "hooks: [{target_function: shop.hooks.notify, on: failure}]",
    ),
    "FLOE-355": Example("max_retries: 2\ntags: {dagster/max_retries: 3}", "max_retries: 2"),
    "FLOE-356": Example("partition_selector: 'last:3'   # a job over static partitions", "partition_selector: all"),
    "FLOE-357": Example(
        "def nightly(context): return dg.RunRequest()   # a partitioned job",
        "def nightly(context): return dg.RunRequest(partition_key='2024-01-01')",
    ),
    "FLOE-358": Example(
        "orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  backfills: {year: {job: load, partition_range: {start: 2024-12-31, end: 2024-01-01}}}",
        "orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  backfills: {year: {job: load, partition_range: {start: 2024-01-01, end: 2024-12-31}}}",
    ),
    "FLOE-359": Example(
        "backfills: {year: {job: vacuum, partition_keys: [eu]}}   # an ops job",
        "backfills: {year: {job: load, partition_keys: [eu]}}",
    ),
    # ---- 36x: what is defined twice, or in a circle
    "FLOE-360": Example(
        "# shop/bronze.py and shop/silver.py\n@floe_asset()\ndef orders(): …",
        "# shop/silver.py\n@floe_asset(key_prefix='silver')\ndef orders(): …",
    ),
    "FLOE-361": Example(
        "@floe_asset(outputs=['bronze.orders'])\ndef orders(): …\n"
        "@floe_asset(outputs=['bronze.orders'])\ndef reload(): …",
        "@floe_asset(outputs=['bronze.orders'])\ndef orders(): …",
    ),
    "FLOE-362": Example(
        "@floe_asset(deps=['b'])\ndef a(): …\n@floe_asset(deps=['a'])\ndef b(): …",
        "@floe_asset()\ndef a(): …\n@floe_asset(deps=['a'])\ndef b(): …",
    ),
    "FLOE-363": Example(
        "@dg.graph_asset(metadata={'floe/inputs': ['bronze.orders']})\ndef totals(): …",
        "@dg.graph_asset()\ndef totals(orders): …",
    ),
    "FLOE-364": Example(
        "@floe_asset(inputs=['Bronze.Orders'])   # written as bronze.orders", "@floe_asset(inputs=['bronze.orders'])"
    ),
    # ---- 37x: resources
    "FLOE-371": Example("execution: {default: {type: dask}}", "pip install dagster-dask"),
    "FLOE-372": Example("token: {secret_ref: API_TOKEN}   # API_TOKEN is not set", "export API_TOKEN=…"),
    "FLOE-373": Example(
        "resources: {api: {target: shop.api.Api, args: {ulr: x}}}",
        "resources: {api: {target: shop.api.Api, args: {url: x}}}",
    ),
    "FLOE-374": Example("def orders(context, catalogue): …", "def orders(context, catalog): …"),
    # ---- 38x: settings of assets by pattern
    "FLOE-380": Example("assets: {'bornze_*': {group_name: bronze}}", "assets: {'bronze_*': {group_name: bronze}}"),
    "FLOE-381": Example(
        "assets: {orders: {pool: a}, items: {pool: b}}   # of one multi-asset", "assets: {'{orders,items}': {pool: a}}"
    ),
    "FLOE-382": Example(
        "assets: {'*': {kinds: [a, b, c, d, e, f, g, h, i, j, k]}}", "assets: {'*': {kinds: [python]}}"
    ),
    "FLOE-383": Example(
        "assets: {orders: {partitions: shops}, totals: {partitions: days}}   # totals reads orders",
        "assets: {orders: {partitions: days}, totals: {partitions: days}}",
    ),
    "FLOE-384": Example(
        "partitions: {old: {type: time_window, start: 2020}, new: {type: time_window, start: 2024}}\n"
        "assets: {orders: {partitions: new}, totals: {partitions: old}}   # totals reads orders",
        "assets: {orders: {partitions: old}, totals: {partitions: old}}",
    ),
    "FLOE-385": Example(
        "assets: {orders: {partition_column: day}}", "assets: {orders: {partition_column: day, partitions: days}}"
    ),
    "FLOE-386": Example(
        "days: {type: time_window, start: 2024-06-01}   # was 2024-01-01, and January was materialised",
        "days: {type: time_window, start: 2024-01-01}",
    ),
    "FLOE-387": Example(
        "days: {type: time_window, start: 2023, end: 2024-01-01}", "days: {type: time_window, start: 2023}"
    ),
    # ---- 39x: sensors
    "FLOE-391": Example(
        "follow: {type: asset_sensor, watched_assets: [orders], selection: [orders, totals]}",
        "follow: {type: asset_sensor, watched_assets: [orders], selection: [totals]}",
    ),
    "FLOE-392": Example(
        "orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  sensors: {again: {type: run_status, status: FAILURE, watched_jobs: [load], job: load}}",
        "orchestration:\n  jobs: {load: {type: batch, selection: '*', max_retries: 1}}",
    ),
    "FLOE-393": Example(
        "orchestration:\n  jobs: {a: {type: batch, selection: '*'}, b: {type: batch, selection: '*'}}\n  sensors:\n"
        "    ab: {type: run_status, status: SUCCESS, watched_jobs: [a], job: b}\n"
        "    ba: {type: run_status, status: SUCCESS, watched_jobs: [b], job: a}",
        "orchestration:\n  jobs: {a: {type: batch, selection: '*'}, b: {type: batch, selection: '*'}}\n  sensors:\n"
        "    ab: {type: run_status, status: SUCCESS, watched_jobs: [a], job: b}",
    ),
    "FLOE-394": Example("floe sensor test arrival --cursor yesterday", "floe sensor test arrival"),
    "FLOE-395": Example(
        "def alert(context): raise RuntimeError", "def alert(context): context.log.warning('a run failed')"
    ),
    "FLOE-396": Example("path: incoming/orders.csv", "path: incoming\npattern: orders.csv"),
    "FLOE-397": Example("partition_key: '{file.stem}'   # a job without partitions", "tags: {file: '{file.stem}'}"),
    # ---- 40x: the catalog
    "FLOE-400": Example(
        "catalogs: {default: {type: rest, uri: 'polaris.internal:8181', warehouse: prdo}}",
        "catalogs: {default: {type: rest, uri: 'polaris.internal:8181', warehouse: prod}}",
    ),
    "FLOE-401": Example("catalog.read_table('bronze.ordres')", "catalog.read_table('bronze.orders')"),
    "FLOE-402": Example("catalog.write_table('orders', rows)", "catalog.write_table('bronze.orders', rows)"),
    "FLOE-403": Example(
        "catalog.write_table('bronze.orders', [{'id': 1}])",
        "catalog.write_table('bronze.orders', pyarrow.Table.from_pylist([{'id': 1}]))",
    ),
    "FLOE-404": Example("pyarrow.array([1], pyarrow.duration('s'))", "pyarrow.array([1], pyarrow.int64())   # seconds"),
    "FLOE-405": Example(
        "catalog.write_table('bronze.orders', rows)   # 'id' was a number and is text now",
        "catalog.write_table('bronze.orders', rows.set_column(0, 'id', rows['id'].cast('int64')))",
    ),
    "FLOE-406": Example(
        "catalog.read_table('bronze.orders', columns=['ID'])", "catalog.read_table('bronze.orders', columns=['id'])"
    ),
    "FLOE-407": Example(
        "return orders   # of all days, in the partition 2024-01-01",
        "return orders.filter(pc.field('day') == context.partition_key)",
    ),
    "FLOE-408": Example(
        "assets: {'bronze/*': {}}   # many at once write one table", "assets: {'bronze/*': {pool: bronze}}"
    ),
    "FLOE-409": Example(
        "catalog.write_table('silver.stg_orders', rows)   # a model of dbt", "dbt build --select stg_orders"
    ),
    # ---- 41x: runs
    "FLOE-410": Example("return 42", "return {'rows': 42}"),
    "FLOE-411": Example(
        "assets: {orders: {partitions: days}}", "assets: {orders: {partitions: days, partition_column: ordered_on}}"
    ),
    "FLOE-412": Example(
        "floe run load --partition 2024-02-01..2024-01-01", "floe run load --partition 2024-01-01..2024-02-01"
    ),
    "FLOE-413": Example(
        "storage: {default: {type: s3, bucket: data-lake}}   # without a right to write there",
        "storage: {default: {type: s3, bucket: my-lake}}",
    ),
    # ---- 42x: running jobs
    "FLOE-420": Example("floe run laod", "floe run load"),
    "FLOE-421": Example("[tool.dagster\nmodule_name = 'definitions'", "[tool.dagster]\nmodule_name = 'definitions'"),
    "FLOE-422": Example(
        "a/definitions.py and b/definitions.py, both with FloeDefinitions.from_compiled_artifacts()",
        "[tool.dagster]\nmodule_name = 'a.definitions'",
    ),
    "FLOE-423": Example(
        "FloeDefinitions.from_compiled_artifacts()", "defs = FloeDefinitions.from_compiled_artifacts()"
    ),
    "FLOE-424": Example("floe run load", "floe run load --partition latest"),
    "FLOE-425": Example("@dg.asset(io_manager_key='lake')   # without a resource of that name", "@dg.asset()"),
    "FLOE-426": Example(
        "floe run load   # an op of it needs the config 'limit'",
        "jobs: {load: {type: batch, selection: '*', config: {ops: {orders: {config: {limit: 10}}}}}}",
    ),
    "FLOE-427": Example("export DAGSTER_HOME=dagster", "export DAGSTER_HOME=$HOME/dagster"),
    "FLOE-428": Example("telemetry: {enabled: false}", "telemetry: {enabled: false}\nrun_retries: {enabled: true}"),
    "FLOE-429": Example(
        "instance: {storage: {type: postgres, …}}", "pip install dagster-postgres   # and mind host, user and password"
    ),
    "FLOE-430": Example("floe backfill yaer", "floe backfill year"),
    "FLOE-431": Example("floe backfill year & floe backfill year", "floe backfill year --status"),
    "FLOE-432": Example("floe backfill year --again   # while its runs go on", "floe backfill year --cancel"),
    "FLOE-433": Example("floe sensor test arival", "floe sensor test arrival"),
    "FLOE-434": Example("def check(context): return open('status')", "def check(context): return None"),
    "FLOE-435": Example(
        "def check(context): context.instance.launch_run(…)", "def check(context): return dg.RunRequest()"
    ),
    "FLOE-436": Example(
        "return dg.RunRequest(run_config={'ops': {'ordres': {}}})",
        "return dg.RunRequest(run_config={'ops': {'orders': {}}})",
    ),
    # ---- 44x: maintenance of tables
    "FLOE-440": Example("catalog.vacuum('bornze.*')", "catalog.vacuum('bronze.*')"),
    "FLOE-441": Example(
        "catalog.remove_orphans('bronze.*', older_than=timedelta(minutes=1))",
        "catalog.remove_orphans('bronze.*', older_than=timedelta(days=3))",
    ),
    "FLOE-442": Example(
        "catalog.compact('bronze.*')   # while the storage is away", "catalog.compact('bronze.*')   # again"
    ),
    "FLOE-443": Example(
        "mv warehouse /mnt/warehouse   # the catalog still names the old place", "mv /mnt/warehouse warehouse"
    ),
    "FLOE-444": Example("maintenance: {orphan_grace: 1h}   # a write takes two", "maintenance: {orphan_grace: 1d}"),
    # ---- 45x: traces and lineage
    "FLOE-450": Example("floe trace   # before the first run", "floe run load && floe trace"),
    "FLOE-451": Example("floe trace 00000000", "floe trace   # the newest run"),
    "FLOE-452": Example("floe trace a", "floe trace a1b2c3d4"),
    "FLOE-453": Example("floe graph --columns   # before the first run", "floe run load && floe graph --columns"),
    "FLOE-455": Example(
        "floe lineage replay   # without an address to send to",
        "OPENLINEAGE_URL=http://marquez:5000 floe lineage replay",
    ),
    "FLOE-456": Example("floe lineage replay --run 00000000", "floe lineage replay"),
    "FLOE-457": Example("floe graph -o absent/graph.svg", "mkdir -p absent && floe graph -o absent/graph.svg"),
}
"""Code → an example of it."""
