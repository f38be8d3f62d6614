"""Codes of what is wrong with partitions, jobs, what launches them, resources and settings."""

from collections.abc import Mapping

from floe_core.error_codes.error_code import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    # ---- 34x: partitions, and what launches assets on its own
    "FLOE-340": ErrorCode(
        "there is no such partition",
        "The partition key is not one of the partitions definition. Time windows have keys in the format of `fmt`, "
        "from `start` on; those of two dimensions are joined by `|` in the order of the dimensions' names; dynamic "
        "ones are there once they were added.",
        wrong="partition_selector: 2023-12-31   # start: 2024-01-01",
        right="partition_selector: 2024-01-01",
    ),
    "FLOE-341": ErrorCode(
        "a function returns no partition keys",
        "The function under `fn` of dynamic partitions returns the keys there should be, as a list of texts, each "
        "once, and none with what Dagster refuses in a key. Nothing was changed; the sensor asks again at its next "
        "tick.",
        wrong="def shops(): return {'eu': 1, 'us': 2}",
        right="def shops(): return ['eu', 'us']",
    ),
    "FLOE-342": ErrorCode(
        "a dbt var that a run has no value for",
        "A run of a partitioned model gets the dbt vars `partition_key` and, for time windows, `partition_start` and "
        "`partition_end`; with two dimensions also `partition_key_<dimension>`. A run of several partitions, which "
        "`backfill_policy` allows, has the bounds of all of them, and `partition_keys` in place of the key.",
        wrong="where day = '{{ var('partition_key') }}'   -- with backfill_policy: single_run",
        right="where day >= '{{ var('partition_start') }}' and day < '{{ var('partition_end') }}'",
    ),
    "FLOE-343": ErrorCode(
        "a microbatch model whose batches are not its partitions",
        "dbt replaces whole batches: an hour, a day, a month or a year in UTC. Where a partition is no such span of "
        "time, a run of it also replaces rows of others. Nothing is lost as long as these are there to be read.",
        wrong="time_window with cron_schedule '0 0 * * 1' over a model with batch_size: month",
        right="time_window with cron_schedule '0 0 1 * *' over a model with batch_size: month",
    ),
    "FLOE-344": ErrorCode(
        "two automation sensors over one asset",
        "Every asset belongs to one sensor of type `automation`; what belongs to none is evaluated by the default one. "
        "Sensors that exist in different `environments` only may share assets.",
        wrong="a: {type: automation, selection: '*'}\nb: {type: automation, selection: 'group:gold'}",
        right="a: {type: automation, selection: '* and not group:gold'}\n"
        "b: {type: automation, selection: 'group:gold'}",
    ),
    "FLOE-345": ErrorCode(
        "an automation sensor that cannot do its work",
        "A sensor of type `automation` evaluates the automation conditions of the assets that it selects. None of them "
        "has one, or there are more than Dagster takes: conditions of your own classes are evaluated in the code "
        "location, at most 500 by one sensor.",
        wrong="conditions: {type: automation, selection: 'group:bronze'}   # no condition in that group",
        right="conditions: {type: automation, selection: 'group:gold'}",
    ),
    "FLOE-346": ErrorCode(
        "an automation condition cannot be read",
        "A condition is `eager`, `on_missing`, `on_cron`, or an expression over the conditions of Dagster's "
        "AutomationCondition, by their bare names: `on_cron('0 6 * * *', 'Europe/Berlin') & ~in_progress()`. `&`, `|`, "
        "`~`, parentheses and methods such as `.since(…)` combine them. What cannot be said so is returned by a "
        "function: `{target_function: package.module.name}`.",
        wrong="orchestration:\n  assets:\n    '*': {automation_condition: eagr}",
        right="orchestration:\n  assets:\n    '*': {automation_condition: eager}",
    ),
    "FLOE-347": ErrorCode(
        "an automation condition that cannot be built",
        "A bare `on_cron` takes the cron and the zone of the asset's time window, and the asset has none; a method "
        "such as `.without(…)` or `.replace(…)` names a part that the condition does not have; or the function of "
        "`target_function` returns something other than a `dagster.AutomationCondition`.",
        wrong="automation_condition: on_cron   # an asset without a time window",
        right="automation_condition: on_cron('0 6 * * *')",
    ),
    "FLOE-348": ErrorCode(
        "an automation condition that never asks for anything",
        "`eager` follows upstreams that are updated, and new partitions. An asset without either is never launched by "
        "it, not even once: Dagster leaves alone what is missing when the condition is first evaluated. `on_missing` "
        "launches it once, `on_cron('0 6 * * *')` every day.",
        wrong="automation_condition: eager   # an asset without upstreams",
        right="automation_condition: on_missing",
    ),
    "FLOE-349": ErrorCode(
        "a schedule leaves out what is automated",
        "Where an asset has an automation condition, the condition decides when it is materialised: a scheduled run "
        "leaves it out, with its checks and with what Dagster executes as one unit with it. A tick that has nothing "
        "left skips. Sensors, backfills and runs started by hand launch everything.",
        wrong="assets: {orders: {automation_condition: eager}}\n"
        "schedules: {nightly: {selection: orders, cron_schedule: '@daily'}}",
        right="assets: {orders: {automation_condition: on_cron('0 0 * * *')}}",
    ),
    # ---- 35x: jobs and what launches them
    "FLOE-350": ErrorCode(
        "Dagster refuses a definition",
        "Dagster's own message says why. The definition is valid for floe.yaml's schema and names what exists.",
        wrong="a Dagster object of your code that Dagster refuses in this place",
        right="the same, as Dagster's message says",
    ),
    "FLOE-351": ErrorCode(
        "a job over different partitions",
        "A run of Dagster is for one partition, or a range of them, of one partitions definition. A job may mix assets "
        "with and without partitions, but all partitioned ones must have the same definition.",
        wrong="sales: {type: batch, selection: [daily_orders, weekly_totals]}",
        right="days: {type: batch, selection: [daily_orders]}\nweeks: {type: batch, selection: [weekly_totals]}",
    ),
    "FLOE-352": ErrorCode(
        "a job named like an asset or op",
        "Dagster makes an op of every asset and asset check, named by its key with `__` in place of slashes, and takes "
        "no job that is named like an op of the same definitions.",
        wrong="jobs: {orders: {type: batch, selection: [orders]}}",
        right="jobs: {orders_job: {type: batch, selection: [orders]}}",
    ),
    "FLOE-353": ErrorCode(
        "run config that does not fit",
        "`config` is run config as the Launchpad shows it: `ops: {name: {config: …}}`, `resources`, `execution`, "
        "`loggers`. Dagster would refuse it only when a run starts, so it is held against what the assets take when "
        "the definitions are loaded. What a job lacks altogether may still come from the Launchpad; what a schedule, "
        "a sensor or a backfill launches must have it.",
        wrong="config: {ops: {orders: {limit: 10}}}",
        right="config: {ops: {orders: {config: {limit: 10}}}}",
    ),
    "FLOE-354": ErrorCode(
        "a hook that cannot be called",
        "A hook is a Dagster hook, which knows by itself when it is called, or a plain function with `on: success` or "
        "`on: failure`. The function takes the hook's context, resources by name, both or nothing.",
        wrong="hooks: [shop.hooks.notify]   # a plain function",
        right="hooks: [{target_function: shop.hooks.notify, on: failure}]",
    ),
    "FLOE-355": ErrorCode(
        "a tag that a field sets, too",
        "`max_retries` and `max_runtime_seconds` become Dagster's tags `dagster/max_retries` and `dagster/max_runtime`."
        " Set the one or the other.",
        wrong="max_retries: 2\ntags: {dagster/max_retries: 3}",
        right="max_retries: 2",
    ),
    "FLOE-356": ErrorCode(
        "a partition_selector that fits no partitions",
        "`partition_selector` says which partitions of a partitioned job are launched: `latest` (the default), `all`, "
        "`last:N`, `none` or a partition key. The job has no partitions, or for `last:N` no time windows, or the "
        "function of `target_function` names the partitions.",
        wrong="partition_selector: 'last:3'   # a job over static partitions",
        right="partition_selector: all",
    ),
    "FLOE-357": ErrorCode(
        "a schedule's or sensor's function asks for what cannot be launched",
        "The function of `target_function` returns `dagster.RunRequest`, a list of them, `dagster.SkipReason` or None; "
        "that of a schedule also run config, that of a sensor also `dagster.SensorResult`. In a schedule, every run "
        "request for a partitioned job names its partition, unless the schedule says `partition_selector: none`. In a "
        "sensor, a run request says which of several jobs it is for.",
        wrong="def nightly(context): return dg.RunRequest()   # a partitioned job",
        right="def nightly(context): return dg.RunRequest(partition_key='2024-01-01')",
    ),
    "FLOE-358": ErrorCode(
        "a backfill over partitions that do not exist",
        "`partition_range` and `partition_keys` name keys of the job's partitions definition as Dagster writes them, "
        "and a range goes from an earlier to a later one. What does not exist yet cannot be launched: partitions that "
        "come later are for a schedule. Dynamic keys are looked for when the backfill runs.",
        wrong="orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  backfills: {year: {job: load, partition_range: {start: 2024-12-31, end: 2024-01-01}}}",
        right="orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  backfills: {year: {job: load, partition_range: {start: 2024-01-01, end: 2024-12-31}}}",
    ),
    "FLOE-359": ErrorCode(
        "a backfill of a job without partitions",
        "A backfill launches a job for many partitions. None of the assets of the job has any.",
        wrong="backfills: {year: {job: vacuum, partition_keys: [eu]}}   # an ops job",
        right="backfills: {year: {job: load, partition_keys: [eu]}}",
    ),
    # ---- 36x: what is defined twice, or in a circle
    "FLOE-360": ErrorCode(
        "something is defined twice",
        "Two assets have one key, or two jobs, schedules, sensors, checks or resources one name. The message names "
        "both places. The same object under several names, or imported into several modules, counts once.",
        wrong="# shop/bronze.py and shop/silver.py\n@floe_asset()\ndef orders(): …",
        right="# shop/silver.py\n@floe_asset(key_prefix='silver')\ndef orders(): …",
    ),
    "FLOE-361": ErrorCode(
        "a table is written by two assets",
        "Each table belongs to one asset: readers of the table depend on it. Two assets name the same table in "
        "`outputs`, or one names a table that dbt builds.",
        wrong="@floe_asset(outputs=['bronze.orders'])\ndef orders(): …\n"
        "@floe_asset(outputs=['bronze.orders'])\ndef reload(): …",
        right="@floe_asset(outputs=['bronze.orders'])\ndef orders(): …",
    ),
    "FLOE-362": ErrorCode(
        "assets depend on one another in a circle",
        "Each asset of the circle waits for the one before it, so none could ever run. Dependencies follow from "
        "`deps`, from the tables in `inputs`, and from dbt's `ref` and `source`.",
        wrong="@floe_asset(deps=['b'])\ndef a(): …\n@floe_asset(deps=['a'])\ndef b(): …",
        right="@floe_asset()\ndef a(): …\n@floe_asset(deps=['a'])\ndef b(): …",
    ),
    "FLOE-363": ErrorCode(
        "an asset cannot depend on a table",
        "An asset that is made of a graph of ops takes its dependencies from the parameters of the graph only, so it "
        "can have no `floe/inputs`.",
        wrong="@dg.graph_asset(metadata={'floe/inputs': ['bronze.orders']})\ndef totals(): …",
        right="@dg.graph_asset()\ndef totals(orders): …",
    ),
    "FLOE-364": ErrorCode(
        "a table that is read under a name of another case",
        "Names that differ in case only are one table: dbt and most engines do not tell them apart, and the catalog "
        "refuses to hold two. It does tell them apart when it looks for a table, so an asset names it as its writer "
        "does.",
        wrong="@floe_asset(inputs=['Bronze.Orders'])   # written as bronze.orders",
        right="@floe_asset(inputs=['bronze.orders'])",
    ),
    # ---- 37x: resources
    "FLOE-371": ErrorCode(
        "the library of an executor or of a catalog is not installed",
        "Dagster's executors for Dask, Celery and Kubernetes are packages of their own, and so are the drivers of a "
        "SQL catalog in PostgreSQL; they are installed where a profile of platform.yaml uses them.",
        wrong="execution: {default: {type: dask}}",
        right="pip install dagster-dask",
    ),
    "FLOE-372": ErrorCode(
        "a secret is not set",
        "`{secret_ref: NAME}` is the environment variable NAME, or the file NAME in the folder that FLOE_SECRETS_DIR "
        "names.",
        wrong="token: {secret_ref: API_TOKEN}   # API_TOKEN is not set",
        right="export API_TOKEN=…",
    ),
    "FLOE-373": ErrorCode(
        "a resource cannot be built",
        "The class or function under `resources` in platform.yaml is called with its `args` and raised an error.",
        wrong="resources: {api: {target: shop.api.Api, args: {ulr: x}}}",
        right="resources: {api: {target: shop.api.Api, args: {url: x}}}",
    ),
    "FLOE-374": ErrorCode(
        "a resource that does not exist",
        "A parameter without annotation is the resource of its name: `catalog`, `dbt`, or one that platform.yaml or a "
        "Definitions object defines. The value of an upstream asset is a parameter with the annotation of its type, or "
        "one that `ins` or `deps` names.",
        wrong="def orders(context, catalogue): …",
        right="def orders(context, catalog): …",
    ),
    # ---- 38x: settings of assets by pattern
    "FLOE-380": ErrorCode(
        "an asset pattern that matches nothing",
        "Every pattern under `assets` sets something for an asset that the project makes, else a misspelt pattern "
        "would silently leave its settings out. A pattern is matched against the whole key (`bronze/customers`) and "
        "against its last part; `*` stays between two slashes, `**` crosses them. External assets are passed over.",
        wrong="assets: {'bornze_*': {group_name: bronze}}",
        right="assets: {'bronze_*': {group_name: bronze}}",
    ),
    "FLOE-381": ErrorCode(
        "settings that one step cannot have",
        "A multi-asset is made by one step, and Dagster has one backfill policy, retry policy, pool and config for it; "
        "one that cannot make some of its assets alone has one partitions definition, too. Patterns must say the same "
        "for all of its assets.",
        wrong="assets: {orders: {pool: a}, items: {pool: b}}   # of one multi-asset",
        right="assets: {'{orders,items}': {pool: a}}",
    ),
    "FLOE-382": ErrorCode(
        "a setting that an asset does not take",
        "The value is right as such, and the asset that a pattern matches has no place for it: a graph of ops has no "
        "retry policy of its own, an asset has at most ten kinds, Dagster wants a whole number in the metadata "
        "`dagster/row_count`, and which tables an asset reads and writes is said by its code.",
        wrong="assets: {'*': {kinds: [a, b, c, d, e, f, g, h, i, j, k]}}",
        right="assets: {'*': {kinds: [python]}}",
    ),
    "FLOE-383": ErrorCode(
        "partitions that do not lead to those upstream",
        "Where both an asset and one that it depends on have partitions, Dagster must know which partition is made "
        "from which. It finds that out for time windows of one time zone, for partitions of the same kind, and for a "
        "dimension of partitions of two; for anything else the code names a partition mapping. `dagster definitions "
        "validate` refuses the same.",
        wrong="assets: {orders: {partitions: shops}, totals: {partitions: days}}   # totals reads orders",
        right="assets: {orders: {partitions: days}, totals: {partitions: days}}",
    ),
    "FLOE-384": ErrorCode(
        "partitions that have no partition upstream",
        "The asset has partitions that an asset it depends on does not have: other keys, or windows before its start. "
        "Dagster's backfills refuse them, and an asset that loads the value of the other one fails.",
        wrong="partitions: {old: {type: time_window, start: 2020}, new: {type: time_window, start: 2024}}\n"
        "assets: {orders: {partitions: new}, totals: {partitions: old}}   # totals reads orders",
        right="assets: {orders: {partitions: old}, totals: {partitions: old}}",
    ),
    "FLOE-385": ErrorCode(
        "a field about partitions where there are none",
        "`partition_column` and `backfill_policy` say how partitions are written and launched. None of the assets that "
        "the pattern matches has partitions, in floe.yaml or in its code.",
        wrong="assets: {orders: {partition_column: day}}",
        right="assets: {orders: {partition_column: day, partitions: days}}",
    ),
    "FLOE-386": ErrorCode(
        "materialised partitions that the asset does not have any more",
        "The partitions of an asset were changed after some were materialised: another start, cron or format, keys "
        "that are gone, dimensions of other names, a dynamic definition of another name, or partitions where there "
        "were none and the other way round. Dagster keeps the old materialisations and shows them nowhere; the new "
        "partitions count as missing. Rows that were written stay in the tables. `floe validate --instance` compares.",
        wrong="days: {type: time_window, start: 2024-06-01}   # was 2024-01-01, and January was materialised",
        right="days: {type: time_window, start: 2024-01-01}",
    ),
    "FLOE-387": ErrorCode(
        "a schedule that launches the same partitions for ever",
        "The schedule launches the latest partitions of time windows that have an `end` in the past: from now on these "
        "are the same ones at every tick, and each tick materialises them again.",
        wrong="days: {type: time_window, start: 2023, end: 2024-01-01}",
        right="days: {type: time_window, start: 2023}",
    ),
    # ---- 39x: sensors
    "FLOE-391": ErrorCode(
        "a sensor whose job makes what it watches",
        "An asset sensor launches its job when watched assets are materialised by anybody else. What runs that it "
        "started materialise does not count, nor what their retries do: else it would launch for ever.",
        wrong="follow: {type: asset_sensor, watched_assets: [orders], selection: [orders, totals]}",
        right="follow: {type: asset_sensor, watched_assets: [orders], selection: [totals]}",
    ),
    "FLOE-392": ErrorCode(
        "a run-status sensor that watches its own job",
        "The sensor would start the job whose runs start it. Runs that it started never trigger it, so it would react "
        "to some runs of the job and not to others. To run a failed job again, give it `max_retries`.",
        wrong="orchestration:\n  jobs: {load: {type: batch, selection: '*'}}\n"
        "  sensors: {again: {type: run_status, status: FAILURE, watched_jobs: [load], job: load}}",
        right="orchestration:\n  jobs: {load: {type: batch, selection: '*', max_retries: 1}}",
    ),
    "FLOE-393": ErrorCode(
        "run-status sensors that start one another",
        "Each sensor of the circle starts a job that the next one watches. A run that came about by a sensor never "
        "triggers that sensor again, so the circle is gone through once and then ends.",
        wrong="orchestration:\n  jobs: {a: {type: batch, selection: '*'}, b: {type: batch, selection: '*'}}\n"
        "  sensors:\n    ab: {type: run_status, status: SUCCESS, watched_jobs: [a], job: b}\n"
        "    ba: {type: run_status, status: SUCCESS, watched_jobs: [b], job: a}",
        right="orchestration:\n  jobs: {a: {type: batch, selection: '*'}, b: {type: batch, selection: '*'}}\n"
        "  sensors:\n    ab: {type: run_status, status: SUCCESS, watched_jobs: [a], job: b}",
    ),
    "FLOE-394": ErrorCode(
        "a sensor's cursor cannot be read",
        "A cursor is what a sensor remembers between ticks. It was set by hand, or by another version of floe that "
        "writes it differently. Where it is emptied, in the Dagster UI on the sensor's page, the sensor goes on with "
        "what happens after its last tick.",
        wrong="floe sensor test arrival --cursor yesterday",
        right="floe sensor test arrival",
    ),
    "FLOE-395": ErrorCode(
        "a function that a sensor calls failed",
        "The function under `target_function` of a run-status sensor raised an error for a run, or the process that "
        "called it ended before it did. It is called again for "
        "that run: after a minute, after 5 minutes, after 15 minutes and after an hour; then it is given up. Other "
        "runs have their calls meanwhile, each once.",
        wrong="def alert(context): raise RuntimeError",
        right="def alert(context): context.log.warning('a run failed')",
    ),
    "FLOE-396": ErrorCode(
        "a file watcher whose path is no folder",
        "`path` names the folder that is watched, and `pattern` the files in it. A folder that is missing is no error: "
        "the sensor skips until it is there.",
        wrong="path: incoming/orders.csv",
        right="path: incoming\npattern: orders.csv",
    ),
    "FLOE-397": ErrorCode(
        "a partition_key that fits no partitions",
        "`partition_key` of a file watcher is the partition that a file's run is for. What the sensor launches has no "
        "partitions, or can never have that one. Keys of dynamic partitions are added when a file comes.",
        wrong="partition_key: '{file.stem}'   # a job without partitions",
        right="tags: {file: '{file.stem}'}",
    ),
    "FLOE-398": ErrorCode(
        "a pattern of a file watcher that does not look like a glob",
        "`pattern` is a glob below the folder in `path`: `*` stands for any text within a name, `**` for any folders, "
        "`{csv,json}` for either text. A regular expression, a list and a path with backslashes are globs, too, and "
        "match no file that is meant.",
        wrong="pattern: '*.csv,*.json'",
        right="pattern: '*.{csv,json}'",
    ),
}
