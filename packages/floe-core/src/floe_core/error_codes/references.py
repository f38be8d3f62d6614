"""Codes of what documents say about one another, and of what was compiled of them."""

from collections.abc import Mapping

from floe_core.error_codes.error_code import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    # ---- 20x: names
    "FLOE-203": ErrorCode(
        "a name that nothing defines",
        "A schedule, sensor, backfill or asset pattern refers to a job, a partitions definition or a profile that the "
        "documents do not define.",
        wrong="orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}\n"
        "  schedules:\n    nightly: {job: laod, cron_schedule: '@daily'}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}\n"
        "  schedules:\n    nightly: {job: load, cron_schedule: '@daily'}",
    ),
    "FLOE-204": ErrorCode(
        "a name that is used twice",
        "In Dagster no two schedules or sensors of a code location share a name. A backfill becomes a sensor named "
        "`<name>_backfill`, and dynamic partitions with `fn` one named `<name>_partition_keys`.",
        wrong="orchestration:\n  schedules:\n    orders: {selection: '*', cron_schedule: '@daily'}\n"
        "  sensors:\n    orders: {type: file_watcher, selection: '*', path: incoming}",
        right="orchestration:\n  schedules:\n    orders: {selection: '*', cron_schedule: '@daily'}\n"
        "  sensors:\n    orders_arrival: {type: file_watcher, selection: '*', path: incoming}",
    ),
    # ---- 21x: the two tiers
    "FLOE-210": ErrorCode(
        "a place or service in floe.yaml",
        "floe.yaml is logical: it names no endpoint, bucket, region, host or address, so that the same file serves "
        "every environment. platform.yaml says where things are. A function that needs a service takes it as a "
        "resource (`resources` in platform.yaml); a value that only looks like a place may stand in `description`, "
        "`metadata`, `tags` or `partition_keys`, or pass by a comment: `# floe: allow FLOE-210 - reason`.",
        wrong="orchestration:\n  jobs:\n    copy:\n      type: ops\n      target_function: shop.ops.copy\n"
        "      args: {to: 's3://data-lake/raw'}",
        right="# platform.yaml: resources: {lake: {target: shop.lake.Lake, args: {bucket: data-lake}}}\n"
        "# shop/ops.py:   def copy(context, lake): …\n"
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.ops.copy}",
    ),
    "FLOE-211": ErrorCode(
        "a secret in floe.yaml",
        "floe.yaml is kept in version control, compiled into artifacts and shown in the Dagster UI, so nothing in it "
        "is secret. Change the secret where it was issued. platform.yaml names secrets by `{secret_ref: NAME}`, and "
        "they are read from the environment or from FLOE_SECRETS_DIR only where they are used. What only looks like a "
        "secret passes by a comment: `# floe: allow FLOE-211 - reason`.",
        wrong="orchestration:\n  jobs:\n    copy:\n      type: ops\n      target_function: shop.ops.copy\n"
        "      args: {password: hunter2hunter2}",
        right="# platform.yaml:\n"
        "#   resources: {api: {target: shop.api.Api, args: {password: {secret_ref: API_PASSWORD}}}}\n"
        "# shop/ops.py:   def copy(context, api): …\n"
        "orchestration:\n  jobs:\n    copy: {type: ops, target_function: shop.ops.copy}",
    ),
    "FLOE-212": ErrorCode(
        "a comment that allows something without saying what and why",
        "Where a value only looks like a place or a secret, the comment `# floe: allow FLOE-211 - reason` behind it, "
        "or on a line of its own above it, lets the line pass. It names one code, FLOE-210 for places or FLOE-211 for "
        "secrets in floe.yaml, FLOE-126 for secrets in platform.yaml, and the reason, for whoever reads the line "
        "later.",
        wrong="path: /data/eu-west-1/orders   # floe: allow",
        right="path: /data/eu-west-1/orders   # floe: allow FLOE-210 - the folder is called after its region",
    ),
    "FLOE-213": ErrorCode(
        "a comment that allows what is not there",
        "The line that a `# floe: allow …` is about has no such problem, any more or yet. Delete the comment: it would "
        "hide one that is made there later.",
        wrong="job: load   # floe: allow FLOE-210 - it was a place once",
        right="job: load",
    ),
    # ---- 22x: compiled artifacts
    "FLOE-220": ErrorCode(
        "there are no compiled artifacts",
        "Definitions are loaded from `.floe/compiled_artifacts.json`, which `floe compile` writes.",
        wrong="dagster job list   # in a fresh checkout",
        right="floe compile && dagster job list",
    ),
    "FLOE-221": ErrorCode(
        "the compiled artifacts are stale",
        "floe.yaml or the dbt project changed since `floe compile` ran. Only contents count, never file times.",
        wrong="vi floe.yaml && dagster job list   # compiled before the change",
        right="vi floe.yaml && floe compile && dagster job list",
    ),
    "FLOE-222": ErrorCode(
        "the compiled artifacts cannot be read",
        "The file is not what `floe compile` writes: cut short, edited by hand, or of another tool. Compile again.",
        wrong="head -c 100 artifacts.json > .floe/compiled_artifacts.json",
        right="floe compile",
    ),
    "FLOE-223": ErrorCode(
        "the compiled artifacts have another format",
        "They were written by a version of floe with another format. Run `floe compile` with the floe that loads them.",
        wrong="pip install -U floe-dagster   # with artifacts of the old version",
        right="floe compile",
    ),
    "FLOE-224": ErrorCode(
        "the dbt target was not compiled",
        "Artifacts hold the dbt project as each compiled target sees it. Run `floe compile --target NAME` for every "
        "target that is to be loaded; several stand side by side.",
        wrong="floe compile   # floe.yaml: dbt: {target: prod}, which is loaded later",
        right="floe compile --target prod",
    ),
    # ---- 23x: platform.yaml
    "FLOE-230": ErrorCode(
        "platform.yaml is named but not there",
        "`FLOE_PLATFORM_FILE` names a file, or `FLOE_PLATFORM_ENV` an environment whose platform.yaml is looked for as "
        "`platform/<environment>/platform.yaml` and `platform.yaml`, from the project folder up to the repository's "
        "root. Unset both to run on the embedded platform.",
        wrong="FLOE_PLATFORM_ENV=prdo floe validate   # the folder is platform/prod",
        right="FLOE_PLATFORM_ENV=prod floe validate",
    ),
    "FLOE-231": ErrorCode(
        "a profile that platform.yaml does not have",
        "`storage`, `catalog` and `compute` of floe.yaml, and `executor` of a job, name profiles of platform.yaml; "
        "what floe.yaml leaves out is the profile `default`. A section that platform.yaml leaves out has the one "
        "profile `default` of the embedded platform.",
        wrong="storage: lake   # platform.yaml: storage: {default: …}",
        right="storage: default",
    ),
    "FLOE-232": ErrorCode(
        "profiles that cannot work together",
        "An engine of several machines cannot use what only one of them sees, such as a SQLite catalog or local files. "
        "A compute engine that does not read the catalog cannot run a dbt project whose sources are tables that Python "
        "assets write; `reads_catalog: true` says that it was set up to.",
        wrong="catalogs: {default: {type: sql, uri: 'sqlite:///catalog.db'}}\n"
        "execution: {default: {type: k8s, job_image: shop}}",
        right="catalogs: {default: {type: rest, uri: 'https://polaris.internal/api/catalog', warehouse: prod}}\n"
        "execution: {default: {type: k8s, job_image: shop}}",
    ),
}
