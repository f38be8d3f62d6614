"""Codes of what goes wrong while something runs."""

from collections.abc import Mapping

from floe_core.error_codes.error_code import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    # ---- 40x: the catalog
    "FLOE-400": ErrorCode(
        "the catalog cannot be opened",
        "The catalog or the DuckDB file of dbt cannot be reached: a wrong address or credential, a missing client "
        "library, a file that is not readable, or one that a program outside floe holds open.",
        wrong="catalogs: {default: {type: rest, uri: 'polaris.internal:8181', warehouse: prdo}}",
        right="catalogs: {default: {type: rest, uri: 'polaris.internal:8181', warehouse: prod}}",
    ),
    "FLOE-401": ErrorCode(
        "a table that nothing wrote",
        "The catalog has no table of that name, and dbt built no relation of that name either. Tables of Python assets "
        "are named `namespace.table`; dbt's relations are named by their custom schema as the project writes it "
        "(`silver.stg_orders`) or by the schema they really have (`main_silver.stg_orders`).",
        wrong="catalog.read_table('bronze.ordres')",
        right="catalog.read_table('bronze.orders')",
    ),
    "FLOE-402": ErrorCode(
        "a table name that cannot be used",
        "A table is named `namespace.table`. Each part has letters, digits, `_` and `-`, and does not start with `-`; "
        "the namespace may have several parts. Names that differ in case only are one name to dbt and most engines, so "
        "they are refused.",
        wrong="catalog.write_table('orders', rows)",
        right="catalog.write_table('bronze.orders', rows)",
    ),
    "FLOE-403": ErrorCode(
        "data that is no table",
        "Tables are written from a pyarrow Table, RecordBatch or RecordBatchReader, a polars or pandas frame, a DuckDB "
        "relation, or anything else with Arrow's stream interface. It needs at least one column, and each column a "
        "name of its own; names that differ in case only count as equal.",
        wrong="catalog.write_table('bronze.orders', [{'id': 1}])",
        right="catalog.write_table('bronze.orders', pyarrow.Table.from_pylist([{'id': 1}]))",
    ),
    "FLOE-404": ErrorCode(
        "a column that Iceberg cannot hold",
        "Types are turned into the nearest one of Iceberg where no value changes: smaller integers, nanoseconds that "
        "are whole microseconds, zones to UTC. What Iceberg has no type for (durations, unions, integers above 64 "
        "bits), and values that would change, are refused with the column's name.",
        wrong="pyarrow.array([1], pyarrow.duration('s'))",
        right="pyarrow.array([1], pyarrow.int64())   # seconds",
    ),
    "FLOE-405": ErrorCode(
        "columns that do not fit the table",
        "New columns and wider types are taken over by the table on their own. A column that changes its type "
        "otherwise, and one that is missing when the whole table is overwritten, is refused: readers of the table "
        "would find other values, or nulls, without a word. Rows that are appended or that replace a partition may "
        "lack columns; these become null and are listed in the result.",
        wrong="catalog.write_table('bronze.orders', rows)   # 'id' was a number and is text now",
        right="catalog.write_table('bronze.orders', rows.set_column(0, 'id', rows['id'].cast('int64')))",
    ),
    "FLOE-406": ErrorCode(
        "a read that asks for what is not there",
        "A column, a snapshot or a part of the filter does not exist in the table. A filter is a condition over "
        "columns, such as `country = 'DE' and amount >= 10`, or a pyiceberg expression.",
        wrong="catalog.read_table('bronze.orders', columns=['ID'])",
        right="catalog.read_table('bronze.orders', columns=['id'])",
    ),
    "FLOE-407": ErrorCode(
        "rows outside their partition",
        "Writing with `partition=` replaces exactly the rows of that partition. Rows that belong elsewhere, or have no "
        "value in the partition column, would be added a second time by the next run, so nothing is written.",
        wrong="return orders   # of all days, in the partition 2024-01-01",
        right="return orders.filter(pc.field('day') == context.partition_key)",
    ),
    "FLOE-408": ErrorCode(
        "a write that lost to other writers",
        "Every attempt to commit found that another process had just changed the same table. Nothing of this write is "
        "in the table. Write less often, or let one asset at a time write the table (a Dagster pool).",
        wrong="assets: {'bronze/*': {}}   # many at once write one table",
        right="assets: {'bronze/*': {pool: bronze}}",
    ),
    "FLOE-409": ErrorCode(
        "a dbt relation where a table of the catalog is needed",
        "dbt's relations live in dbt's database. They can be read, but only dbt writes them, and they have no "
        "snapshots.",
        wrong="catalog.write_table('silver.stg_orders', rows)   # a model of dbt",
        right="dbt build --select stg_orders",
    ),
    # ---- 41x: runs
    "FLOE-410": ErrorCode(
        "an asset returns what cannot be used",
        "A function under `@floe_asset` returns nothing, a dict (its metadata), a `MaterializeResult`, or rows, which "
        "are written to the one table in `outputs`: an Arrow table or reader, a Polars or pandas frame, a DuckDB "
        "relation. An asset with an I/O manager of its own may return anything.",
        wrong="return 42",
        right="return {'rows': 42}",
    ),
    "FLOE-411": ErrorCode(
        "rows of a partition that cannot be told from others",
        "A partitioned asset that returns rows replaces those of its partition only. `partition_column` names the "
        "column that says which partition a row belongs to: a time or date for time windows, the key otherwise. "
        "Partitions of two dimensions have a column for each: `{date: ordered_on, region: country}`.",
        wrong="assets: {orders: {partitions: days}}",
        right="assets: {orders: {partitions: days, partition_column: ordered_on}}",
    ),
    "FLOE-412": ErrorCode(
        "a range without partitions",
        "A run over a range computes the partitions from its first to its last key, both included. There are none "
        "where the first key comes after the last, or where dynamic keys of that name were removed.",
        wrong="floe run load --partition 2024-02-01..2024-01-01",
        right="floe run load --partition 2024-01-01..2024-02-01",
    ),
    "FLOE-413": ErrorCode(
        "files that the storage refuses",
        "The files of a table are written to the storage that platform.yaml names. It cannot be reached, refuses the "
        "credentials, is full, or may not be written to. Nothing of the write is in the table.",
        wrong="storage: {default: {type: s3, bucket: data-lake}}   # without a right to write there",
        right="storage: {default: {type: s3, bucket: my-lake}}",
    ),
    # ---- 42x: running jobs
    "FLOE-420": ErrorCode(
        "there is no job of that name",
        "`floe run` takes the name of a job: one of `orchestration.jobs`, one that an asset module defines, or one "
        "that the definitions file passes to the factory. `floe list jobs` shows those of floe.yaml and of the "
        "modules.",
        wrong="floe run laod",
        right="floe run load",
    ),
    "FLOE-421": ErrorCode(
        "pyproject.toml cannot be parsed",
        "Dagster finds the code location by the `[tool.dagster]` block of pyproject.toml, and so does floe. The file "
        "is not TOML.",
        wrong="[tool.dagster\nmodule_name = 'definitions'",
        right="[tool.dagster]\nmodule_name = 'definitions'",
    ),
    "FLOE-422": ErrorCode(
        "several files build definitions",
        "Without a `[tool.dagster]` block in pyproject.toml floe looks for the one definitions.py in the project that "
        "calls `FloeDefinitions.from_compiled_artifacts`. There are several; name the module in that block, which "
        "plain `dagster dev` needs as well.",
        wrong="a/definitions.py and b/definitions.py, both with FloeDefinitions.from_compiled_artifacts()",
        right="[tool.dagster]\nmodule_name = 'a.definitions'",
    ),
    "FLOE-423": ErrorCode(
        "the code location holds no definitions",
        "The module that is loaded as the code location must have exactly one `Definitions` object at its top level, "
        "as Dagster demands.",
        wrong="FloeDefinitions.from_compiled_artifacts()",
        right="defs = FloeDefinitions.from_compiled_artifacts()",
    ),
    "FLOE-424": ErrorCode(
        "a partitioned job needs a partition, and no other job takes one",
        "The assets of the job are partitioned. A run without a partition key would fail in the middle or, worse, "
        "write rows that belong to no partition, so none is started: `floe run JOB --partition KEY`, with a range "
        "`A..B`, `latest`, `last:N` or `all` for a key. `--partition none` runs it without a partition all the same.",
        wrong="floe run load",
        right="floe run load --partition latest",
    ),
    "FLOE-425": ErrorCode(
        "Dagster refuses the definitions",
        "Every part of the definitions was built, but Dagster cannot put them together; the message shows its reason, "
        "or what the project's own code raises when Dagster asks it.",
        wrong="@dg.asset(io_manager_key='lake')   # without a resource of that name",
        right="@dg.asset()",
    ),
    "FLOE-426": ErrorCode(
        "the run config does not fit the job",
        "A job's ops, assets and resources declare the config they take. Nothing has run. The Launchpad of Dagster's "
        "UI shows the config of a job and completes it.",
        wrong="floe run load   # an op of it needs the config 'limit'",
        right="jobs: {load: {type: batch, selection: '*', config: {ops: {orders: {config: {limit: 10}}}}}}",
    ),
    "FLOE-427": ErrorCode(
        "DAGSTER_HOME names no folder",
        "Dagster takes the folder of its instance from DAGSTER_HOME, as an absolute path. Without the variable floe "
        "uses `.floe/dagster_home` in the project folder.",
        wrong="export DAGSTER_HOME=dagster",
        right="export DAGSTER_HOME=$HOME/dagster",
    ),
    "FLOE-428": ErrorCode(
        "the Dagster instance lacks what a field needs",
        "`max_retries` needs run retries and `max_runtime_seconds` needs run monitoring, both of which Dagster has "
        "off by default. The instance that floe generates has them on; yours is configured by your own dagster.yaml.",
        wrong="telemetry: {enabled: false}",
        right="telemetry: {enabled: false}\nrun_retries: {enabled: true}",
    ),
    "FLOE-429": ErrorCode(
        "the Dagster instance cannot be opened",
        "Dagster refuses the settings of the instance, or its storage cannot be reached. `instance` in platform.yaml "
        "makes these settings, unless DAGSTER_HOME or a dagster.yaml of your own does; PostgreSQL storage needs the "
        "package dagster-postgres.",
        wrong="instance: {storage: {type: postgres, …}}",
        right="pip install dagster-postgres   # and mind host, user and password",
    ),
    "FLOE-430": ErrorCode(
        "there is no backfill of that name",
        "`floe backfill` takes the name of one under `orchestration.backfills`; `floe list backfills` shows them.",
        wrong="floe backfill yaer",
        right="floe backfill year",
    ),
    "FLOE-431": ErrorCode(
        "a backfill is worked on already",
        "Another `floe backfill` of the same project works on it. Two at once would launch the same partitions.",
        wrong="floe backfill year & floe backfill year",
        right="floe backfill year --status",
    ),
    "FLOE-432": ErrorCode(
        "a backfill is under way",
        "`--again` launches all partitions of a backfill once more. Runs of it have not ended yet.",
        wrong="floe backfill year --again   # while its runs go on",
        right="floe backfill year --cancel",
    ),
    "FLOE-433": ErrorCode(
        "there is no sensor of that name",
        "`floe sensor test` takes the name of a sensor: one of `orchestration.sensors`, one that an asset module "
        "defines, `<name>_backfill` of a backfill, or `<name>_partition_keys` of dynamic partitions. Sensors of other "
        "`environments` are not in the definitions.",
        wrong="floe sensor test arival",
        right="floe sensor test arrival",
    ),
    "FLOE-434": ErrorCode(
        "a sensor's function raises an error",
        "The error and the lines of the user's own files that led to it are shown. In the daemon the tick fails with "
        "it, nothing is launched, the cursor stays, and the next tick evaluates the sensor again.",
        wrong="def check(context): return open('status')",
        right="def check(context): return None",
    ),
    "FLOE-435": ErrorCode(
        "a sensor that cannot be tried out",
        "`floe sensor test` stores and launches nothing. A sensor that launches runs by itself, in place of asking for "
        "them, cannot be evaluated so, nor can an automation sensor over more assets than Dagster takes there.",
        wrong="def check(context): context.instance.launch_run(…)",
        right="def check(context): return dg.RunRequest()",
    ),
    "FLOE-436": ErrorCode(
        "a sensor asks for a run that Dagster refuses",
        "The run config of a run request does not fit the job, or its `asset_selection` names assets that the job does "
        "not have. What Dagster says of it is shown. In the daemon every tick fails with it and launches nothing.",
        wrong="return dg.RunRequest(run_config={'ops': {'ordres': {}}})",
        right="return dg.RunRequest(run_config={'ops': {'orders': {}}})",
    ),
    # ---- 44x: maintenance of tables
    "FLOE-440": ErrorCode(
        "a table pattern that matches nothing",
        "Maintenance takes names of tables and globs: `bronze.orders`, `bronze.*`, `{bronze,raw}.*`. `*` stays within "
        "one part of a name, `**` does not. A pattern that matches nothing is an error, else a misspelt one would "
        "silently leave its tables without care.",
        wrong="catalog.vacuum('bornze.*')",
        right="catalog.vacuum('bronze.*')",
    ),
    "FLOE-441": ErrorCode(
        "maintenance that would go too far",
        "Files of a write that is not committed yet look like orphans, so none is deleted that is younger than an "
        "hour, whatever anybody asks for; deleting one destroys the table for good. `maintenance` in platform.yaml "
        "holds the defaults, and what is written there no call goes below.",
        wrong="catalog.remove_orphans('bronze.*', older_than=timedelta(minutes=1))",
        right="catalog.remove_orphans('bronze.*', older_than=timedelta(days=3))",
    ),
    "FLOE-442": ErrorCode(
        "a table that could not be looked after",
        "Reading the table, committing to it or deleting one of its files failed. The other tables had their turn. "
        "Maintenance may be repeated at any time: it goes on where it stopped.",
        wrong="catalog.compact('bronze.*')   # while the storage is away",
        right="catalog.compact('bronze.*')   # again",
    ),
    "FLOE-443": ErrorCode(
        "files that are not where the catalog says",
        "Before anything is deleted, the files below a table's location are held against those that the table refers "
        "to. Where not even the newest of these is found, the listing is of another place: the location was moved, "
        "restored or mounted differently. Everything would look like an orphan, so nothing is deleted.",
        wrong="mv warehouse /mnt/warehouse   # the catalog still names the old place",
        right="mv /mnt/warehouse warehouse",
    ),
    "FLOE-444": ErrorCode(
        "a write whose files were removed before it was committed",
        "A write puts its files into place first and commits them at the end. A vacuum with a grace that is shorter "
        "than the write takes removes them as orphans; committed all the same, they would make the table unreadable. "
        "Nothing of the write is in the table. The grace must be longer than the longest write.",
        wrong="maintenance: {orphan_grace: 1h}   # a write takes two",
        right="maintenance: {orphan_grace: 1d}",
    ),
    # ---- 45x: traces and lineage
    "FLOE-450": ErrorCode(
        "there is no trace yet",
        "`floe trace` shows the spans of a run, which each run writes into `.floe/observability/traces` as long as no "
        "OpenTelemetry endpoint is configured; otherwise they are sent there, and the backend shows them. Switched off "
        "with OTEL_SDK_DISABLED, there are none.",
        wrong="floe trace   # before the first run",
        right="floe run load && floe trace",
    ),
    "FLOE-451": ErrorCode(
        "there is no trace of that run",
        "`floe trace` takes the id of a run, or as much of its beginning as tells it from others. The traces of the "
        "newest runs are kept; those of older ones make room.",
        wrong="floe trace 00000000",
        right="floe trace   # the newest run",
    ),
    "FLOE-452": ErrorCode(
        "several runs begin so",
        "The beginning of a run's id names it where no other run begins so. A few more characters tell them apart.",
        wrong="floe trace a",
        right="floe trace a1b2c3d4",
    ),
    "FLOE-453": ErrorCode(
        "there is no column lineage yet",
        "`floe graph --columns` draws what the lineage events of earlier runs say about columns. They are kept in "
        "`.floe/observability/lineage` as long as no OpenLineage endpoint is configured. Models of dbt tell their "
        "columns as they are built, unless `observability_level` is `job_level`; Python assets do where their "
        "materialisations carry column lineage.",
        wrong="floe graph --columns   # before the first run",
        right="floe run load && floe graph --columns",
    ),
    "FLOE-455": ErrorCode(
        "there is no receiver of lineage events",
        "`floe lineage replay` sends events to the receiver that `OPENLINEAGE_URL` or another variable of OpenLineage "
        "names, else to `observability.lineage_endpoint` of platform.yaml.",
        wrong="floe lineage replay   # without an address to send to",
        right="OPENLINEAGE_URL=http://marquez:5000 floe lineage replay",
    ),
    "FLOE-456": ErrorCode(
        "no lineage events of that run are kept",
        "`floe lineage replay --run` names a run by the beginning of its id. Kept are events that a receiver did not "
        "take, and those of runs without a receiver.",
        wrong="floe lineage replay --run 00000000",
        right="floe lineage replay",
    ),
    "FLOE-457": ErrorCode(
        "a file that cannot be written",
        "`floe graph -o FILE`, `floe schema -o FILE` and `floe trace --html FILE` make the file, or write over it. "
        "They do not make its folder: a slip in the name would go unseen.",
        wrong="floe graph -o absent/graph.svg",
        right="mkdir -p absent && floe graph -o absent/graph.svg",
    ),
}
