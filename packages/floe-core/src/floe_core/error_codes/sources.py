"""Codes of what is wrong with Python modules, dbt projects and selections of their assets."""

from collections.abc import Mapping

from floe_core.error_codes.error_code import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    # ---- 30x: the project's Python modules
    "FLOE-301": ErrorCode(
        "a Python module does not exist",
        "A document names a module that cannot be found. Modules are found as in an import statement: from the folder "
        "of floe.yaml, from the parent of its topmost package, and from what is installed. A name with a leading dot "
        "starts at the folder of floe.yaml.",
        wrong="asset_modules: [shop.asets]",
        right="asset_modules: [shop.assets]",
    ),
    "FLOE-302": ErrorCode(
        "a Python module cannot be parsed",
        "The module, or one that it imports, has a syntax error; the message shows file, line and column.",
        wrong="def orders(:",
        right="def orders():",
    ),
    "FLOE-303": ErrorCode(
        "a Python module raises when it is imported",
        "Definitions are loaded by importing the modules that floe.yaml names. The code at the top level of this one "
        "raised or exited; the message shows the way to it through the project's own files. `python -c 'import …'` "
        "shows the whole traceback.",
        wrong="LIMIT = int(os.environ['LIMIT'])",
        right="LIMIT = int(os.environ.get('LIMIT', '10'))",
    ),
    "FLOE-304": ErrorCode(
        "a Python module imports what is not there",
        "The module exists, but something that it imports does not: a package that is not installed, or another module "
        "of the project under a wrong name.",
        wrong="import polrs",
        right="import polars",
    ),
    "FLOE-305": ErrorCode(
        "a Python module defines nothing for Dagster",
        "An entry of `asset_modules` was imported and holds no asset, asset check, job, schedule, sensor or "
        "Definitions object at its top level.",
        wrong="def orders(): …",
        right="@floe_asset()\ndef orders(): …",
    ),
    "FLOE-306": ErrorCode(
        "an entry of asset_modules leads to no module",
        "A relative entry starts at the folder of floe.yaml with one dot; `package.*` means every module below a "
        "package. The module that calls the factory cannot be one of its own asset modules.",
        wrong="asset_modules: [definitions]   # it calls the factory",
        right="asset_modules: [shop.*]",
    ),
    "FLOE-307": ErrorCode(
        "an argument of @floe_asset that cannot be used",
        "`inputs` and `outputs` are tables, named as in the catalog: namespace and table, such as `bronze.orders`. An "
        "asset is not a table: it stands in `deps`. Whatever `@floe_asset` does not take itself goes to "
        "`dagster.asset`, which takes no other names either.",
        wrong="@floe_asset(inputs=['orders'])",
        right="@floe_asset(inputs=['bronze.orders'])",
    ),
    "FLOE-308": ErrorCode(
        "loading that ended before everything was looked at",
        "Something is wrong with the project, and what was built of the rest raised an exception, which may follow "
        "from that or not. Both are told; once the errors are mended it is clear.",
        wrong="FloeDefinitions.from_compiled_artifacts(jobs=[unusual])   # and an error in floe.yaml",
        right="FloeDefinitions.from_compiled_artifacts(jobs=[unusual])   # and none",
    ),
    "FLOE-309": ErrorCode(
        "an argument of from_compiled_artifacts that cannot be used",
        "A definitions file hands definitions of Dagster to the factory: lists of assets and asset checks, jobs, "
        "schedules and sensors, and resources by key. Names are not definitions.",
        wrong="FloeDefinitions.from_compiled_artifacts(jobs=['load'])",
        right="load = dg.define_asset_job('load')\nFloeDefinitions.from_compiled_artifacts(jobs=[load])",
    ),
    # ---- 31x: references to Python objects
    "FLOE-311": ErrorCode(
        "a reference names nothing in its module",
        "A reference is the import path of something inside a module: `package.module.function`. The module is there, "
        "the name in it is not.",
        wrong="target_function: shop.ops.vacum",
        right="target_function: shop.ops.vacuum",
    ),
    "FLOE-312": ErrorCode(
        "a reference names something of another kind",
        "The object is there but is not what this place takes, such as a number where a function is wanted.",
        wrong="target_function: shop.ops.RETENTION_DAYS",
        right="target_function: shop.ops.vacuum",
    ),
    "FLOE-313": ErrorCode(
        "the dbt translator cannot be used",
        "`orchestration.dbt.translator` names a class that is no `dagster_dbt.DagsterDbtTranslator`, or whose own code "
        "raised an error while dagster-dbt translated the project.",
        wrong="class Translator: …",
        right="class Translator(dagster_dbt.DagsterDbtTranslator): …",
    ),
    "FLOE-314": ErrorCode(
        "arguments that do not fit a function",
        "`args` are the arguments of the function by the names of its parameters: each that has no default, none that "
        "it does not have, of the types that its annotations say. A parameter `context` and those of resources are "
        "filled in. For an op or graph, `args` are its config.",
        wrong="args: {dayz: 30}   # def vacuum(context, days: int)",
        right="args: {days: 30}   # def vacuum(context, days: int)",
    ),
    "FLOE-319": ErrorCode(
        "dbt warns",
        "dbt parsed the project and has a remark about it, told in its own words. Nothing is stopped by it.",
        wrong="tests: [not_null]   # dbt: the property was renamed",
        right="data_tests: [not_null]",
    ),
    # ---- 32x: dbt
    "FLOE-320": ErrorCode(
        "there is no dbt manifest",
        "Assets are made from the manifest that `dbt parse` writes. Where there is a dbt project, `floe compile` has "
        "dbt make one; here there is neither.",
        wrong="dbt: {manifest_path: target/manifest.json}   # with neither manifest nor dbt project",
        right="dbt: {project_dir: dbt}",
    ),
    "FLOE-321": ErrorCode(
        "the dbt manifest cannot be used",
        "The file is not JSON, is cut short, is some other JSON, or was written by a dbt older than 1.7. `dbt parse` "
        "writes it anew; without the file `floe compile` has dbt make one of its own.",
        wrong="dbt: {manifest_path: target/run_results.json}",
        right="dbt: {manifest_path: target/manifest.json}",
    ),
    "FLOE-322": ErrorCode(
        "dagster-dbt cannot make assets of the dbt project",
        "Two models have the same asset key, or something below `meta.dagster` is not what Dagster takes.",
        wrong="meta: {dagster: {asset_key: orders}}",
        right="meta: {dagster: {asset_key: [silver, orders]}}",
    ),
    "FLOE-323": ErrorCode(
        "it is not clear where the dbt project is",
        "A dbt project is a folder with a dbt_project.yml. The folder that is named holds none, or several folders "
        "hold one and none is named. `orchestration.dbt.project_dir` names it.",
        wrong="dbt: {project_dir: models}",
        right="dbt: {project_dir: dbt}   # the folder with dbt_project.yml",
    ),
    "FLOE-324": ErrorCode(
        "a folder that dbt needs is not there",
        "Building a model takes the project's files, not only its manifest; with `profiles_dir`, dbt also needs the "
        "profiles.yml in that folder.",
        wrong="dbt: {profiles_dir: ~/.dbt}   # without a profiles.yml in it",
        right="dbt: {project_dir: dbt}",
    ),
    "FLOE-325": ErrorCode(
        "dbt is not installed",
        "The command `dbt` is looked for beside the Python that runs floe, then on the path. Install dbt-core and the "
        "adapter of your database into the same environment.",
        wrong="pip install floe-dagster",
        right="pip install floe-dagster dbt-core dbt-duckdb",
    ),
    "FLOE-326": ErrorCode(
        "the dbt manifest is of another project",
        "The manifest names a dbt project other than the one in the folder. One of `manifest_path` and `project_dir` "
        "is wrong, or the manifest was copied.",
        wrong="dbt: {manifest_path: ../store/target/manifest.json, project_dir: shop}",
        right="dbt: {manifest_path: target/manifest.json, project_dir: shop}",
    ),
    "FLOE-327": ErrorCode(
        "dbt cannot parse the project",
        "The message is dbt's own. It ends with the command of dbt that says the same.",
        wrong="select * from {{ ref('stg_ordres') }}",
        right="select * from {{ ref('stg_orders') }}",
    ),
    "FLOE-328": ErrorCode(
        "dbt packages are not installed",
        "packages.yml or dependencies.yml lists packages, and they are not in the project. `dbt deps` installs them; "
        "floe does not, since it writes nothing into your project.",
        wrong="floe compile   # with a packages.yml",
        right="dbt deps && floe compile",
    ),
    "FLOE-329": ErrorCode(
        "the dbt selection selects nothing",
        "`select`, `exclude` and `selector` are dbt's own syntax. dbt does not understand what is written, or no "
        "model, seed or snapshot is left. `dbt list` with the same selection shows what it selects.",
        wrong="dbt: {select: ['tag:nighlty']}",
        right="dbt: {select: ['tag:nightly']}",
    ),
    # ---- 33x: selections
    "FLOE-330": ErrorCode(
        "a selection item cannot be read",
        "An item names assets (`orders`, `bronze/*`) or selects them by `group:`, `tag:`, `kind:` or `owner:`. `+x` "
        "adds everything upstream, `x+` everything downstream, `2+x` two levels; `and`, `or`, `not` and parentheses "
        "combine; `!` at the start takes the item away from the others. Names with other signs stand in quotes.",
        wrong="orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:']}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:bronze']}",
    ),
    "FLOE-331": ErrorCode(
        "a selection item matches no asset",
        "Every name, group, tag, kind, owner and pattern of a selection must match an asset, and every item as a whole "
        "must select one: otherwise a misspelt name would silently launch less than was meant.",
        wrong="selection: ['group:bronz']",
        right="selection: ['group:bronze']",
    ),
    "FLOE-332": ErrorCode(
        "an asset name that several assets have",
        "A name without slashes means the asset with that key, else the one asset whose key ends in it. Where several "
        "keys end so, write the whole key, or a pattern such as `**/orders` for all of them.",
        wrong="selection: [orders]   # bronze/orders and silver/orders",
        right="selection: [bronze/orders]",
    ),
    "FLOE-333": ErrorCode(
        "a selection item of what nothing materialises",
        "External assets are known by name only: a table that somebody else writes. They cannot be launched; `name+` "
        "selects what is made from them.",
        wrong="selection: [raw/orders]   # a table of somebody else",
        right="selection: ['raw/orders+']",
    ),
    "FLOE-334": ErrorCode(
        "a selection of nothing",
        "The exclusions take away everything that the items select, or the project has no asset to materialise.",
        wrong="selection: ['group:bronze', '!group:bronze']",
        right="selection: ['group:bronze']",
    ),
    "FLOE-335": ErrorCode(
        "a dbt test that no step runs",
        "Models with different partitions, backfill policies or pools are built by different steps. A test of several "
        "models runs with the last of them; where none is the last, it must say which asset it is a check of: generic "
        "tests do, others by `meta.dagster.ref`. Then it has a step of its own, after all that it reads.",
        wrong="-- tests/totals.sql, over models with different partitions\nselect …",
        right="-- tests/totals.sql\n{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}\nselect …",
    ),
}
