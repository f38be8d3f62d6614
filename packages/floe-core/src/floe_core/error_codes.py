"""The stable code of every kind of problem, with what `floe explain` says about it.

1xx a document, 2xx what documents say about one another, 3xx loading definitions, 4xx running.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """What a code stands for."""

    title: str
    explanation: str


ERROR_CODES: dict[str, ErrorCode] = {
    # ---- 10x: YAML ---------------------------------------------------------------------------------------------
    "FLOE-101": ErrorCode(
        "the text is not YAML",
        "The document cannot be parsed. The message names the place where reading stopped; the slip itself may stand a "
        "line earlier, where a quote, a bracket or an indented block was left open.",
    ),
    "FLOE-102": ErrorCode(
        "a key is written twice",
        "A mapping names the same key more than once. Most YAML readers keep the last one without a word, so that a "
        "block pasted twice hides the first. Keep one of the two.",
    ),
    "FLOE-103": ErrorCode(
        "a YAML tag that is not allowed",
        "Tags such as `!!python/object` or `!Ref` build objects or belong to other tools. Documents hold plain values: "
        "text, numbers, true, false, null, lists and mappings. `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, "
        "`!!seq` and `!!map` are understood.",
    ),
    "FLOE-104": ErrorCode(
        "a key that is not text",
        "Every key is a name. A number, true, false, null, a list or a mapping as a key is refused; put quotes around "
        "it where the name really looks like that: `'1': …`.",
    ),
    "FLOE-105": ErrorCode(
        "values that repeat or nest without end",
        "An alias (`*name`) stands inside the value that it repeats, names no anchor, or repeats repetitions until the "
        "document is far larger than its text; or values are nested very deep, or the file itself has megabytes. An "
        "anchor (`&name`) comes before its aliases and contains none of them. `<<` merges mappings only.",
    ),
    "FLOE-106": ErrorCode(
        "more than one document in a file",
        "A line `---` starts a second YAML document. One file holds one document; put the rest into a file of its own "
        "or delete the line.",
    ),
    "FLOE-107": ErrorCode(
        "the document is not a mapping",
        "A document is a mapping from section names to their contents, such as `version: 1.0.0`. This file is empty or "
        "holds a list or a single value.",
    ),
    "FLOE-108": ErrorCode(
        "the file is not text",
        "Documents are UTF-8 text without control characters. Save the file as UTF-8.",
    ),
    "FLOE-109": ErrorCode(
        "a tab where YAML allows spaces only",
        "YAML is indented by spaces. Set the editor to insert spaces, and replace the tabs that are there.",
    ),
    # ---- 11x: values from the environment ----------------------------------------------------------------------
    "FLOE-110": ErrorCode(
        "a malformed ${…} expression",
        "An expression is `${NAME}`, `${NAME:default}` or `${NAME:-default}`; a name has letters, digits and `_` and "
        "does not start with a digit. A text that is meant to hold `${` as it stands is written `$${`.",
    ),
    "FLOE-111": ErrorCode(
        "an environment variable is not set",
        "The document uses `${NAME}` without a default, and the environment has no such variable. Set it, or write a "
        "default: `${NAME:value}`. `floe validate` warns and leaves the value unchecked; loading and "
        "`floe validate --strict-env` stop.",
    ),
    "FLOE-112": ErrorCode(
        "a default that reads like a negative number",
        "`${N:-5}` is the shell's way to write the default 5. Minus five is written `${N:--5}`.",
    ),
    "FLOE-113": ErrorCode(
        "an expression in a key",
        "`${NAME}` works in every value and in no key: names of jobs, assets and options are the same in every "
        "environment. Where an entry is to differ, let its values differ, or use `environments`.",
    ),
    # ---- 12x: the schema ---------------------------------------------------------------------------------------
    "FLOE-120": ErrorCode(
        "an unknown key",
        "The key is not one that this place takes. Nothing is ignored silently: a misspelt key would leave a setting "
        "at its default. Top-level keys that begin with `x-` are yours, for anchors and notes.",
    ),
    "FLOE-121": ErrorCode(
        "a key is missing",
        "This place needs a key that is not there.",
    ),
    "FLOE-122": ErrorCode(
        "a value of the wrong type",
        "The field takes another type of value, for example a list where a text stands. A value from the environment "
        "is converted where its text allows that.",
    ),
    "FLOE-123": ErrorCode(
        "a value that is not one of the choices",
        "The field takes one of a few values, which the message lists.",
    ),
    "FLOE-124": ErrorCode(
        "an unknown or missing type",
        "The entry comes in several kinds, and its `type:` says which. It is missing or names none of them.",
    ),
    "FLOE-125": ErrorCode(
        "a value that breaks a rule of its field",
        "The value has the right type but not a form or range that works; the message states the rule.",
    ),
    "FLOE-126": ErrorCode(
        "a secret in a document",
        "Documents name secrets and never hold them: `{secret_ref: NAME}` is the environment variable NAME, or the "
        "file NAME in the folder that FLOE_SECRETS_DIR names. It is read only where it is used, so that it reaches no "
        "file, no log and no message. Not even `${NAME}` may stand where a secret is meant.",
    ),
    # ---- 13x: files and folders --------------------------------------------------------------------------------
    "FLOE-130": ErrorCode(
        "a document cannot be found or read",
        "The project folder is the one that holds floe.yaml; it is looked for from the working directory (or "
        "`--project DIR`) upwards.",
    ),
    "FLOE-131": ErrorCode(
        "the .floe folder cannot be written",
        "floe keeps what it generates in `.floe` beside floe.yaml. The folder must be writable for `floe compile`; "
        "loading compiled artifacts works without.",
    ),
    "FLOE-132": ErrorCode(
        "the folder's name means something else in a URL",
        "Dagster, dbt and the catalog name their files below the project folder by URLs. There `#` and `?` end a path, "
        "and `%20` is a space, so that they would look elsewhere for what they have written.",
    ),
    # ---- 20x: names --------------------------------------------------------------------------------------------
    "FLOE-203": ErrorCode(
        "a name that nothing defines",
        "A schedule, sensor, backfill or asset pattern refers to a job, a partitions definition or a profile that the "
        "documents do not define.",
    ),
    "FLOE-204": ErrorCode(
        "a name that is used twice",
        "In Dagster no two schedules or sensors of a code location share a name. A backfill becomes a sensor named "
        "`<name>_backfill`, and dynamic partitions with `fn` one named `<name>_partition_keys`.",
    ),
    # ---- 21x: the two tiers ------------------------------------------------------------------------------------
    "FLOE-210": ErrorCode(
        "a place or service in floe.yaml",
        "floe.yaml is logical: it names no endpoint, bucket, region, host or address, so that the same file serves "
        "every environment. platform.yaml says where things are. A function that needs a service takes it as a "
        "resource (`resources` in platform.yaml); a value that only looks like a place may stand in `description`, "
        "`metadata`, `tags` or `partition_keys`, or pass by a comment: `# floe: allow FLOE-210 - reason`.",
    ),
    "FLOE-211": ErrorCode(
        "a secret in floe.yaml",
        "floe.yaml is kept in version control, compiled into artifacts and shown in the Dagster UI, so nothing in it "
        "is secret. Change the secret where it was issued. platform.yaml names secrets by `{secret_ref: NAME}`, and "
        "they are read from the environment or from FLOE_SECRETS_DIR only where they are used. What only looks like a "
        "secret passes by a comment: `# floe: allow FLOE-211 - reason`.",
    ),
    "FLOE-212": ErrorCode(
        "a comment that allows something without saying what and why",
        "Where a value only looks like a place or a secret, the comment `# floe: allow FLOE-211 - reason` behind it, "
        "or on a line of its own above it, lets the line pass. It names one code, FLOE-210 for places or FLOE-211 for "
        "secrets, and the reason, for whoever reads the line later.",
    ),
    "FLOE-213": ErrorCode(
        "a comment that allows what is not there",
        "The line that a `# floe: allow …` is about has no such problem, any more or yet. Delete the comment: it would "
        "hide one that is made there later.",
    ),
    # ---- 22x: compiled artifacts -------------------------------------------------------------------------------
    "FLOE-220": ErrorCode(
        "there are no compiled artifacts",
        "Definitions are loaded from `.floe/compiled_artifacts.json`, which `floe compile` writes.",
    ),
    "FLOE-221": ErrorCode(
        "the compiled artifacts are stale",
        "floe.yaml or the dbt project changed since `floe compile` ran. Only contents count, never file times.",
    ),
    "FLOE-222": ErrorCode(
        "the compiled artifacts cannot be read",
        "The file is not what `floe compile` writes: cut short, edited by hand, or of another tool. Compile again.",
    ),
    "FLOE-223": ErrorCode(
        "the compiled artifacts have another format",
        "They were written by a version of floe with another format. Run `floe compile` with the floe that loads them.",
    ),
    "FLOE-224": ErrorCode(
        "the dbt target was not compiled",
        "Artifacts hold the dbt project as each compiled target sees it. Run `floe compile --target NAME` for every "
        "target that is to be loaded; several stand side by side.",
    ),
    # ---- 23x: platform.yaml ------------------------------------------------------------------------------------
    "FLOE-230": ErrorCode(
        "platform.yaml is named but not there",
        "`FLOE_PLATFORM_FILE` names a file, or `FLOE_PLATFORM_ENV` an environment whose platform.yaml is looked for as "
        "`platform/<environment>/platform.yaml` and `platform.yaml`, from the project folder up to the repository's "
        "root. Unset both to run on the embedded platform.",
    ),
    "FLOE-231": ErrorCode(
        "a profile that platform.yaml does not have",
        "`storage`, `catalog` and `compute` of floe.yaml, and `executor` of a job, name profiles of platform.yaml; "
        "what floe.yaml leaves out is the profile `default`. A section that platform.yaml leaves out has the one "
        "profile `default` of the embedded platform.",
    ),
    "FLOE-232": ErrorCode(
        "profiles that cannot work together",
        "An engine of several machines cannot use what only one of them sees, such as a SQLite catalog or local files. "
        "A compute engine that does not read the catalog cannot run a dbt project whose sources are tables that Python "
        "assets write; `reads_catalog: true` says that it was set up to.",
    ),
    # ---- 30x: the project's Python modules ---------------------------------------------------------------------
    "FLOE-301": ErrorCode(
        "a Python module does not exist",
        "A document names a module that cannot be found. Modules are found as in an import statement: from the folder "
        "of floe.yaml, from the parent of its topmost package, and from what is installed. A name with a leading dot "
        "starts at the folder of floe.yaml.",
    ),
    "FLOE-302": ErrorCode(
        "a Python module cannot be parsed",
        "The module, or one that it imports, has a syntax error; the message shows file, line and column.",
    ),
    "FLOE-303": ErrorCode(
        "a Python module raises when it is imported",
        "Definitions are loaded by importing the modules that floe.yaml names. The code at the top level of this one "
        "raised or exited; the message shows the way to it through the project's own files. `python -c 'import …'` "
        "shows the whole traceback.",
    ),
    "FLOE-304": ErrorCode(
        "a Python module imports what is not there",
        "The module exists, but something that it imports does not: a package that is not installed, or another module "
        "of the project under a wrong name.",
    ),
    "FLOE-305": ErrorCode(
        "a Python module defines nothing for Dagster",
        "An entry of `asset_modules` was imported and holds no asset, asset check, job, schedule, sensor or "
        "Definitions object at its top level.",
    ),
    "FLOE-306": ErrorCode(
        "an entry of asset_modules leads to no module",
        "A relative entry starts at the folder of floe.yaml with one dot; `package.*` means every module below a "
        "package. The module that calls the factory cannot be one of its own asset modules.",
    ),
    "FLOE-307": ErrorCode(
        "an argument of @floe_asset that cannot be used",
        "`inputs` and `outputs` are tables, named as in the catalog: namespace and table, such as `bronze.orders`. An "
        "asset is not a table: it stands in `deps`. Whatever `@floe_asset` does not take itself goes to "
        "`dagster.asset`, which takes no other names either.",
    ),
    # ---- 31x: references to Python objects ---------------------------------------------------------------------
    "FLOE-311": ErrorCode(
        "a reference names nothing in its module",
        "A reference is the import path of something inside a module: `package.module.function`. The module is there, "
        "the name in it is not.",
    ),
    "FLOE-312": ErrorCode(
        "a reference names something of another kind",
        "The object is there but is not what this place takes, such as a number where a function is wanted.",
    ),
    "FLOE-313": ErrorCode(
        "the dbt translator cannot be used",
        "`orchestration.dbt.translator` names a class that is no `dagster_dbt.DagsterDbtTranslator`, or whose own code "
        "raised an error while dagster-dbt translated the project.",
    ),
    "FLOE-314": ErrorCode(
        "arguments that do not fit a function",
        "`args` are the arguments of the function by the names of its parameters: each that has no default, none that "
        "it does not have, of the types that its annotations say. A parameter `context` and those of resources are "
        "filled in. For an op or graph, `args` are its config.",
    ),
    "FLOE-319": ErrorCode(
        "dbt warns",
        "dbt parsed the project and has a remark about it, told in its own words. Nothing is stopped by it.",
    ),
    # ---- 32x: dbt ----------------------------------------------------------------------------------------------
    "FLOE-320": ErrorCode(
        "there is no dbt manifest",
        "Assets are made from the manifest that `dbt parse` writes. Where there is a dbt project, `floe compile` has "
        "dbt make one; here there is neither.",
    ),
    "FLOE-321": ErrorCode(
        "the dbt manifest cannot be used",
        "The file is not JSON, is cut short, is some other JSON, or was written by a dbt older than 1.7. `dbt parse` "
        "writes it anew; without the file `floe compile` has dbt make one of its own.",
    ),
    "FLOE-322": ErrorCode(
        "dagster-dbt cannot make assets of the dbt project",
        "Two models have the same asset key, or something below `meta.dagster` is not what Dagster takes.",
    ),
    "FLOE-323": ErrorCode(
        "it is not clear where the dbt project is",
        "A dbt project is a folder with a dbt_project.yml. The folder that is named holds none, or several folders "
        "hold one and none is named. `orchestration.dbt.project_dir` names it.",
    ),
    "FLOE-324": ErrorCode(
        "a folder that dbt needs is not there",
        "Building a model takes the project's files, not only its manifest; with `profiles_dir`, dbt also needs the "
        "profiles.yml in that folder.",
    ),
    "FLOE-325": ErrorCode(
        "dbt is not installed",
        "The command `dbt` is looked for beside the Python that runs floe, then on the path. Install dbt-core and the "
        "adapter of your database into the same environment.",
    ),
    "FLOE-326": ErrorCode(
        "the dbt manifest is of another project",
        "The manifest names a dbt project other than the one in the folder. One of `manifest_path` and `project_dir` "
        "is wrong, or the manifest was copied.",
    ),
    "FLOE-327": ErrorCode(
        "dbt cannot parse the project",
        "The message is dbt's own. `dbt parse` in the project's folder says the same.",
    ),
    "FLOE-328": ErrorCode(
        "dbt packages are not installed",
        "packages.yml or dependencies.yml lists packages, and they are not in the project. `dbt deps` installs them; "
        "floe does not, since it writes nothing into your project.",
    ),
    "FLOE-329": ErrorCode(
        "the dbt selection selects nothing",
        "`select`, `exclude` and `selector` are dbt's own syntax. dbt does not understand what is written, or no "
        "model, seed or snapshot is left. `dbt list` with the same selection shows what it selects.",
    ),
    # ---- 33x: selections ---------------------------------------------------------------------------------------
    "FLOE-330": ErrorCode(
        "a selection item cannot be read",
        "An item names assets (`orders`, `bronze/*`) or selects them by `group:`, `tag:`, `kind:` or `owner:`. `+x` "
        "adds everything upstream, `x+` everything downstream, `2+x` two levels; `and`, `or`, `not` and parentheses "
        "combine; `!` at the start takes the item away from the others. Names with other signs stand in quotes.",
    ),
    "FLOE-331": ErrorCode(
        "a selection item matches no asset",
        "Every name, group, tag, kind, owner and pattern of a selection must match an asset, and every item as a whole "
        "must select one: otherwise a misspelt name would silently launch less than was meant.",
    ),
    "FLOE-332": ErrorCode(
        "an asset name that several assets have",
        "A name without slashes means the asset with that key, else the one asset whose key ends in it. Where several "
        "keys end so, write the whole key, or a pattern such as `**/orders` for all of them.",
    ),
    "FLOE-333": ErrorCode(
        "a selection item of what nothing materialises",
        "External assets are known by name only: a table that somebody else writes. They cannot be launched; `name+` "
        "selects what is made from them.",
    ),
    "FLOE-334": ErrorCode(
        "a selection of nothing",
        "The exclusions take away everything that the items select, or the project has no asset to materialise.",
    ),
    "FLOE-335": ErrorCode(
        "a dbt test that no step runs",
        "Models with different partitions, backfill policies or pools are built by different steps. A test of several "
        "models runs with the last of them; where none is the last, it must say which asset it is a check of: generic "
        "tests do, others by `meta.dagster.ref`. Then it has a step of its own, after all that it reads.",
    ),
    # ---- 34x: partitions, and what launches assets on its own --------------------------------------------------
    "FLOE-340": ErrorCode(
        "there is no such partition",
        "The partition key is not one of the partitions definition. Time windows have keys in the format of `fmt`, "
        "from `start` on; those of two dimensions are joined by `|` in the order of the dimensions' names; dynamic "
        "ones are there once they were added.",
    ),
    "FLOE-341": ErrorCode(
        "a function returns no partition keys",
        "The function under `fn` of dynamic partitions returns the keys there should be, as a list of texts, each "
        "once, and none with what Dagster refuses in a key. Nothing was changed; the sensor asks again at its next "
        "tick.",
    ),
    "FLOE-342": ErrorCode(
        "a dbt var that a run has no value for",
        "A run of a partitioned model gets the dbt vars `partition_key` and, for time windows, `partition_start` and "
        "`partition_end`; with two dimensions also `partition_key_<dimension>`. A run of several partitions, which "
        "`backfill_policy` allows, has the bounds of all of them, and `partition_keys` in place of the key.",
    ),
    "FLOE-343": ErrorCode(
        "a microbatch model whose batches are not its partitions",
        "dbt replaces whole batches: an hour, a day, a month or a year in UTC. Where a partition is no such span of "
        "time, a run of it also replaces rows of others. Nothing is lost as long as these are there to be read.",
    ),
    "FLOE-344": ErrorCode(
        "two automation sensors over one asset",
        "Every asset belongs to one sensor of type `automation`; what belongs to none is evaluated by the default one. "
        "Sensors that exist in different `environments` only may share assets.",
    ),
    "FLOE-345": ErrorCode(
        "an automation sensor that cannot do its work",
        "A sensor of type `automation` evaluates the automation conditions of the assets that it selects. None of them "
        "has one, or there are more than Dagster takes: conditions of your own classes are evaluated in the code "
        "location, at most 500 by one sensor.",
    ),
    "FLOE-346": ErrorCode(
        "an automation condition cannot be read",
        "A condition is `eager`, `on_missing`, `on_cron`, or an expression over the conditions of Dagster's "
        "AutomationCondition, by their bare names: `on_cron('0 6 * * *', 'Europe/Berlin') & ~in_progress()`. `&`, `|`, "
        "`~`, parentheses and methods such as `.since(…)` combine them. What cannot be said so is returned by a "
        "function: `{target_function: package.module.name}`.",
    ),
    "FLOE-347": ErrorCode(
        "an automation condition that cannot be built",
        "A bare `on_cron` takes the cron and the zone of the asset's time window, and the asset has none; a method "
        "such as `.without(…)` or `.replace(…)` names a part that the condition does not have; or the function of "
        "`target_function` returns something other than a `dagster.AutomationCondition`.",
    ),
    "FLOE-348": ErrorCode(
        "an automation condition that never asks for anything",
        "`eager` follows upstreams that are updated, and new partitions. An asset without either is never launched by "
        "it, not even once: Dagster leaves alone what is missing when the condition is first evaluated. `on_missing` "
        "launches it once, `on_cron('0 6 * * *')` every day.",
    ),
    "FLOE-349": ErrorCode(
        "a schedule leaves out what is automated",
        "Where an asset has an automation condition, the condition decides when it is materialised: a scheduled run "
        "leaves it out, with its checks and with what Dagster executes as one unit with it. A tick that has nothing "
        "left skips. Sensors, backfills and runs started by hand launch everything.",
    ),
    # ---- 35x: jobs and what launches them ----------------------------------------------------------------------
    "FLOE-350": ErrorCode(
        "Dagster refuses a definition",
        "Dagster's own message says why. The definition is valid for floe.yaml's schema and names what exists.",
    ),
    "FLOE-351": ErrorCode(
        "a job over different partitions",
        "A run of Dagster is for one partition, or a range of them, of one partitions definition. A job may mix assets "
        "with and without partitions, but all partitioned ones must have the same definition.",
    ),
    "FLOE-352": ErrorCode(
        "a job named like an asset or op",
        "Dagster makes an op of every asset and asset check, named by its key with `__` in place of slashes, and takes "
        "no job that is named like an op of the same definitions.",
    ),
    "FLOE-353": ErrorCode(
        "run config that does not fit",
        "`config` is run config as the Launchpad shows it: `ops: {name: {config: …}}`, `resources`, `execution`, "
        "`loggers`. Dagster would refuse it only when a run starts, so it is held against what the assets take when "
        "the definitions are loaded. What is required and missing altogether may still come from the Launchpad.",
    ),
    "FLOE-354": ErrorCode(
        "a hook that cannot be called",
        "A hook is a Dagster hook, which knows by itself when it is called, or a plain function with `on: success` or "
        "`on: failure`. The function takes the hook's context, resources by name, both or nothing.",
    ),
    "FLOE-355": ErrorCode(
        "a tag that a field sets, too",
        "`max_retries` and `max_runtime_seconds` become Dagster's tags `dagster/max_retries` and `dagster/max_runtime`."
        " Set the one or the other.",
    ),
    "FLOE-356": ErrorCode(
        "a partition_selector that fits no partitions",
        "`partition_selector` says which partitions of a partitioned job are launched: `latest` (the default), `all`, "
        "`last:N`, `none` or a partition key. The job has no partitions, or for `last:N` no time windows, or the "
        "function of `target_function` names the partitions.",
    ),
    "FLOE-357": ErrorCode(
        "a schedule's or sensor's function asks for what cannot be launched",
        "The function of `target_function` returns `dagster.RunRequest`, a list of them, `dagster.SkipReason` or None; "
        "that of a schedule also run config, that of a sensor also `dagster.SensorResult`. In a schedule, every run "
        "request for a partitioned job names its partition, unless the schedule says `partition_selector: none`. In a "
        "sensor, a run request says which of several jobs it is for.",
    ),
    "FLOE-358": ErrorCode(
        "a backfill over partitions that do not exist",
        "`partition_range` and `partition_keys` name keys of the job's partitions definition as Dagster writes them, "
        "and a range goes from an earlier to a later one. What does not exist yet cannot be launched: partitions that "
        "come later are for a schedule. Dynamic keys are looked for when the backfill runs.",
    ),
    "FLOE-359": ErrorCode(
        "a backfill of a job without partitions",
        "A backfill launches a job for many partitions. None of the assets of the job has any.",
    ),
    # ---- 36x: what is defined twice, or in a circle ------------------------------------------------------------
    "FLOE-360": ErrorCode(
        "something is defined twice",
        "Two assets have one key, or two jobs, schedules, sensors, checks or resources one name. The message names "
        "both places. The same object under several names, or imported into several modules, counts once.",
    ),
    "FLOE-361": ErrorCode(
        "a table is written by two assets",
        "Each table belongs to one asset: readers of the table depend on it. Two assets name the same table in "
        "`outputs`, or one names a table that dbt builds.",
    ),
    "FLOE-362": ErrorCode(
        "assets depend on one another in a circle",
        "Each asset of the circle waits for the one before it, so none could ever run. Dependencies follow from "
        "`deps`, from the tables in `inputs`, and from dbt's `ref` and `source`.",
    ),
    "FLOE-363": ErrorCode(
        "an asset cannot depend on a table",
        "An asset that is made of a graph of ops takes its dependencies from the parameters of the graph only, so it "
        "can have no `floe/inputs`.",
    ),
    "FLOE-364": ErrorCode(
        "a table that is read under a name of another case",
        "Names that differ in case only are one table: dbt and most engines do not tell them apart, and the catalog "
        "refuses to hold two. It does tell them apart when it looks for a table, so an asset names it as its writer "
        "does.",
    ),
    # ---- 37x: resources ----------------------------------------------------------------------------------------
    "FLOE-371": ErrorCode(
        "the library of an executor is not installed",
        "Dagster's executors for Dask, Celery and Kubernetes are packages of their own, installed where a profile of "
        "platform.yaml uses them.",
    ),
    "FLOE-372": ErrorCode(
        "a secret is not set",
        "`{secret_ref: NAME}` is the environment variable NAME, or the file NAME in the folder that FLOE_SECRETS_DIR "
        "names.",
    ),
    "FLOE-373": ErrorCode(
        "a resource cannot be built",
        "The class or function under `resources` in platform.yaml is called with its `args` and raised an error.",
    ),
    "FLOE-374": ErrorCode(
        "a resource that does not exist",
        "A parameter without annotation is the resource of its name: `catalog`, `dbt`, or one that platform.yaml or a "
        "Definitions object defines. The value of an upstream asset is a parameter with the annotation of its type, or "
        "one that `ins` or `deps` names.",
    ),
    # ---- 38x: settings of assets by pattern --------------------------------------------------------------------
    "FLOE-380": ErrorCode(
        "an asset pattern that matches nothing",
        "Every pattern under `assets` sets something for an asset that the project makes, else a misspelt pattern "
        "would silently leave its settings out. A pattern is matched against the whole key (`bronze/customers`) and "
        "against its last part; `*` stays between two slashes, `**` crosses them. External assets are passed over.",
    ),
    "FLOE-381": ErrorCode(
        "settings that one step cannot have",
        "A multi-asset is made by one step, and Dagster has one backfill policy, retry policy, pool and config for it; "
        "one that cannot make some of its assets alone has one partitions definition, too. Patterns must say the same "
        "for all of its assets.",
    ),
    "FLOE-382": ErrorCode(
        "a setting that an asset does not take",
        "The value is right as such, and the asset that a pattern matches has no place for it: a graph of ops has no "
        "retry policy of its own, an asset has at most ten kinds, and which tables an asset reads and writes is said "
        "by its code.",
    ),
    "FLOE-383": ErrorCode(
        "partitions that do not lead to those upstream",
        "Where both an asset and one that it depends on have partitions, Dagster must know which partition is made "
        "from which. It finds that out for time windows of one time zone, for partitions of the same kind, and for a "
        "dimension of partitions of two; for anything else the code names a partition mapping. `dagster definitions "
        "validate` refuses the same.",
    ),
    "FLOE-384": ErrorCode(
        "partitions that have no partition upstream",
        "The asset has partitions that an asset it depends on does not have: other keys, or windows before its start. "
        "Dagster's backfills refuse them, and an asset that loads the value of the other one fails.",
    ),
    "FLOE-385": ErrorCode(
        "a field about partitions where there are none",
        "`partition_column` and `backfill_policy` say how partitions are written and launched. None of the assets that "
        "the pattern matches has partitions, in floe.yaml or in its code.",
    ),
    "FLOE-386": ErrorCode(
        "materialised partitions that the asset does not have any more",
        "The partitions of an asset were changed after some were materialised: another start, cron or format, keys "
        "that are gone, dimensions of other names, a dynamic definition of another name, or partitions where there "
        "were none and the other way round. Dagster keeps the old materialisations and shows them nowhere; the new "
        "partitions count as missing. Rows that were written stay in the tables. `floe validate --instance` compares.",
    ),
    "FLOE-387": ErrorCode(
        "a schedule that launches the same partitions for ever",
        "The schedule launches the latest partitions of time windows that have an `end` in the past: from now on these "
        "are the same ones at every tick, and each tick materialises them again.",
    ),
    # ---- 39x: sensors ------------------------------------------------------------------------------------------
    "FLOE-391": ErrorCode(
        "a sensor whose job makes what it watches",
        "An asset sensor launches its job when watched assets are materialised by anybody else. What runs that it "
        "started materialise does not count, nor what their retries do: else it would launch for ever.",
    ),
    "FLOE-392": ErrorCode(
        "a run-status sensor that watches its own job",
        "The sensor would start the job whose runs start it. Runs that it started never trigger it, so it would react "
        "to some runs of the job and not to others. To run a failed job again, give it `max_retries`.",
    ),
    "FLOE-393": ErrorCode(
        "run-status sensors that start one another",
        "Each sensor of the circle starts a job that the next one watches. A run that came about by a sensor never "
        "triggers that sensor again, so the circle is gone through once and then ends.",
    ),
    "FLOE-394": ErrorCode(
        "a sensor's cursor cannot be read",
        "A cursor is what a sensor remembers between ticks. It was set by hand, or by another version of floe that "
        "writes it differently. Where it is emptied, in the Dagster UI on the sensor's page, the sensor goes on with "
        "what happens after its last tick.",
    ),
    "FLOE-395": ErrorCode(
        "a function that a sensor calls failed",
        "The function under `target_function` of a run-status sensor raised an error for a run, or the process that "
        "called it ended before it did. It is called again for "
        "that run: after a minute, after 5 minutes, after 15 minutes and after an hour; then it is given up. Other "
        "runs have their calls meanwhile, each once.",
    ),
    "FLOE-396": ErrorCode(
        "a file watcher whose path is no folder",
        "`path` names the folder that is watched, and `pattern` the files in it. A folder that is missing is no error: "
        "the sensor skips until it is there.",
    ),
    "FLOE-397": ErrorCode(
        "a partition_key that fits no partitions",
        "`partition_key` of a file watcher is the partition that a file's run is for. What the sensor launches has no "
        "partitions, or can never have that one. Keys of dynamic partitions are added when a file comes.",
    ),
    # ---- 40x: the catalog --------------------------------------------------------------------------------------
    "FLOE-400": ErrorCode(
        "the catalog cannot be opened",
        "The catalog or the DuckDB file of dbt cannot be reached: a wrong address or credential, a missing client "
        "library, a file that is not readable, or one that a program outside floe holds open.",
    ),
    "FLOE-401": ErrorCode(
        "a table that nothing wrote",
        "The catalog has no table of that name, and dbt built no relation of that name either. Tables of Python assets "
        "are named `namespace.table`; dbt's relations are named by their custom schema as the project writes it "
        "(`silver.stg_orders`) or by the schema they really have (`main_silver.stg_orders`).",
    ),
    "FLOE-402": ErrorCode(
        "a table name that cannot be used",
        "A table is named `namespace.table`. Each part has letters, digits, `_` and `-`, and does not start with `-`; "
        "the namespace may have several parts. Names that differ in case only are one name to dbt and most engines, so "
        "they are refused.",
    ),
    "FLOE-403": ErrorCode(
        "data that is no table",
        "Tables are written from a pyarrow Table, RecordBatch or RecordBatchReader, a polars or pandas frame, a DuckDB "
        "relation, or anything else with Arrow's stream interface. It needs at least one column, and each column a "
        "name of its own; names that differ in case only count as equal.",
    ),
    "FLOE-404": ErrorCode(
        "a column that Iceberg cannot hold",
        "Types are turned into the nearest one of Iceberg where no value changes: smaller integers, nanoseconds that "
        "are whole microseconds, zones to UTC. What Iceberg has no type for (durations, unions, integers above 64 "
        "bits), and values that would change, are refused with the column's name.",
    ),
    "FLOE-405": ErrorCode(
        "columns that do not fit the table",
        "New columns and wider types are taken over by the table on their own. A column that changes its type "
        "otherwise, and one that is missing when the whole table is overwritten, is refused: readers of the table "
        "would find other values, or nulls, without a word. Rows that are appended or that replace a partition may "
        "lack columns; these become null and are listed in the result.",
    ),
    "FLOE-406": ErrorCode(
        "a read that asks for what is not there",
        "A column, a snapshot or a part of the filter does not exist in the table. A filter is a condition over "
        "columns, such as `country = 'DE' and amount >= 10`, or a pyiceberg expression.",
    ),
    "FLOE-407": ErrorCode(
        "rows outside their partition",
        "Writing with `partition=` replaces exactly the rows of that partition. Rows that belong elsewhere, or have no "
        "value in the partition column, would be added a second time by the next run, so nothing is written.",
    ),
    "FLOE-408": ErrorCode(
        "a write that lost to other writers",
        "Every attempt to commit found that another process had just changed the same table. Nothing of this write is "
        "in the table. Write less often, or let one asset at a time write the table (a Dagster pool).",
    ),
    "FLOE-409": ErrorCode(
        "a dbt relation where a table of the catalog is needed",
        "dbt's relations live in dbt's database. They can be read, but only dbt writes them, and they have no "
        "snapshots.",
    ),
    # ---- 41x: runs ---------------------------------------------------------------------------------------------
    "FLOE-410": ErrorCode(
        "an asset returns what cannot be used",
        "A function under `@floe_asset` returns nothing, a dict (its metadata), a `MaterializeResult`, or rows, which "
        "are written to the one table in `outputs`: an Arrow table or reader, a Polars or pandas frame, a DuckDB "
        "relation. An asset with an I/O manager of its own may return anything.",
    ),
    "FLOE-411": ErrorCode(
        "rows of a partition that cannot be told from others",
        "A partitioned asset that returns rows replaces those of its partition only. `partition_column` names the "
        "column that says which partition a row belongs to: a time or date for time windows, the key otherwise. "
        "Partitions of two dimensions have a column for each: `{date: ordered_on, region: country}`.",
    ),
    "FLOE-412": ErrorCode(
        "a range without partitions",
        "A run over a range computes the partitions from its first to its last key, both included. There are none "
        "where the first key comes after the last, or where dynamic keys of that name were removed.",
    ),
    "FLOE-413": ErrorCode(
        "files that the storage refuses",
        "The files of a table are written to the storage that platform.yaml names. It cannot be reached, refuses the "
        "credentials, is full, or may not be written to. Nothing of the write is in the table.",
    ),
    # ---- 42x: running jobs -------------------------------------------------------------------------------------
    "FLOE-420": ErrorCode(
        "there is no job of that name",
        "`floe run` takes the name of a job: one of `orchestration.jobs`, one that an asset module defines, or one "
        "that the definitions file passes to the factory. `floe list jobs` shows those of floe.yaml and of the "
        "modules.",
    ),
    "FLOE-421": ErrorCode(
        "pyproject.toml cannot be parsed",
        "Dagster finds the code location by the `[tool.dagster]` block of pyproject.toml, and so does floe. The file "
        "is not TOML.",
    ),
    "FLOE-422": ErrorCode(
        "several files build definitions",
        "Without a `[tool.dagster]` block in pyproject.toml floe looks for the one definitions.py in the project that "
        "calls `FloeDefinitions.from_compiled_artifacts`. There are several; name the module in that block, which "
        "plain `dagster dev` needs as well.",
    ),
    "FLOE-423": ErrorCode(
        "the code location holds no definitions",
        "The module that is loaded as the code location must have exactly one `Definitions` object at its top level, "
        "as Dagster demands.",
    ),
    "FLOE-424": ErrorCode(
        "a partitioned job needs a partition, and no other job takes one",
        "The assets of the job are partitioned. A run without a partition key would fail in the middle or, worse, "
        "write rows that belong to no partition, so none is started: `floe run JOB --partition KEY`, with a range "
        "`A..B`, `latest`, `last:N` or `all` for a key. `--partition none` runs it without a partition all the same.",
    ),
    "FLOE-425": ErrorCode(
        "Dagster refuses the definitions",
        "Every part of the definitions was built, but Dagster cannot put them together; the message shows its reason.",
    ),
    "FLOE-426": ErrorCode(
        "the run config does not fit the job",
        "A job's ops, assets and resources declare the config they take. Nothing has run. The Launchpad of Dagster's "
        "UI shows the config of a job and completes it.",
    ),
    "FLOE-427": ErrorCode(
        "DAGSTER_HOME names no folder",
        "Dagster takes the folder of its instance from DAGSTER_HOME, as an absolute path. Without the variable floe "
        "uses `.floe/dagster_home` in the project folder.",
    ),
    "FLOE-428": ErrorCode(
        "the Dagster instance lacks what a field needs",
        "`max_retries` needs run retries and `max_runtime_seconds` needs run monitoring, both of which Dagster has "
        "off by default. The instance that floe generates has them on; yours is configured by your own dagster.yaml.",
    ),
    "FLOE-429": ErrorCode(
        "the Dagster instance cannot be opened",
        "Dagster refuses the settings of the instance, or its storage cannot be reached. `instance` in platform.yaml "
        "makes these settings, unless DAGSTER_HOME or a dagster.yaml of your own does; PostgreSQL storage needs the "
        "package dagster-postgres.",
    ),
    "FLOE-430": ErrorCode(
        "there is no backfill of that name",
        "`floe backfill` takes the name of one under `orchestration.backfills`; `floe list backfills` shows them.",
    ),
    "FLOE-431": ErrorCode(
        "a backfill is worked on already",
        "Another `floe backfill` of the same project works on it. Two at once would launch the same partitions.",
    ),
    "FLOE-432": ErrorCode(
        "a backfill is under way",
        "`--again` launches all partitions of a backfill once more. Runs of it have not ended yet.",
    ),
    "FLOE-433": ErrorCode(
        "there is no sensor of that name",
        "`floe sensor test` takes the name of a sensor: one of `orchestration.sensors`, one that an asset module "
        "defines, `<name>_backfill` of a backfill, or `<name>_partition_keys` of dynamic partitions. Sensors of other "
        "`environments` are not in the definitions.",
    ),
    "FLOE-434": ErrorCode(
        "a sensor's function raises an error",
        "The error and the lines of the user's own files that led to it are shown. In the daemon the tick fails with "
        "it, nothing is launched, the cursor stays, and the next tick evaluates the sensor again.",
    ),
    "FLOE-435": ErrorCode(
        "a sensor that cannot be tried out",
        "`floe sensor test` stores and launches nothing. A sensor that launches runs by itself, in place of asking for "
        "them, cannot be evaluated so, nor can an automation sensor over more assets than Dagster takes there.",
    ),
    "FLOE-436": ErrorCode(
        "a sensor asks for a run that Dagster refuses",
        "The run config of a run request does not fit the job, or its `asset_selection` names assets that the job does "
        "not have. What Dagster says of it is shown. In the daemon every tick fails with it and launches nothing.",
    ),
    # ---- 44x: maintenance of tables ----------------------------------------------------------------------------
    "FLOE-440": ErrorCode(
        "a table pattern that matches nothing",
        "Maintenance takes names of tables and globs: `bronze.orders`, `bronze.*`, `{bronze,raw}.*`. `*` stays within "
        "one part of a name, `**` does not. A pattern that matches nothing is an error, else a misspelt one would "
        "silently leave its tables without care.",
    ),
    "FLOE-441": ErrorCode(
        "maintenance that would go too far",
        "Files of a write that is not committed yet look like orphans, so none is deleted that is younger than an "
        "hour, whatever anybody asks for; deleting one destroys the table for good. `maintenance` in platform.yaml "
        "holds the defaults, and what is written there no call goes below.",
    ),
    "FLOE-442": ErrorCode(
        "a table that could not be looked after",
        "Reading the table, committing to it or deleting one of its files failed. The other tables had their turn. "
        "Maintenance may be repeated at any time: it goes on where it stopped.",
    ),
    "FLOE-443": ErrorCode(
        "files that are not where the catalog says",
        "Before anything is deleted, the files below a table's location are held against those that the table refers "
        "to. Where not even the newest of these is found, the listing is of another place: the location was moved, "
        "restored or mounted differently. Everything would look like an orphan, so nothing is deleted.",
    ),
    "FLOE-444": ErrorCode(
        "a write whose files were removed before it was committed",
        "A write puts its files into place first and commits them at the end. A vacuum with a grace that is shorter "
        "than the write takes removes them as orphans; committed all the same, they would make the table unreadable. "
        "Nothing of the write is in the table. The grace must be longer than the longest write.",
    ),
    # ---- 45x: traces and lineage -------------------------------------------------------------------------------
    "FLOE-450": ErrorCode(
        "there is no trace yet",
        "`floe trace` shows the spans of a run, which each run writes into `.floe/observability/traces` as long as no "
        "OpenTelemetry endpoint is configured; otherwise they are sent there, and the backend shows them. Switched off "
        "with OTEL_SDK_DISABLED, there are none.",
    ),
    "FLOE-451": ErrorCode(
        "there is no trace of that run",
        "`floe trace` takes the id of a run, or as much of its beginning as tells it from others. The traces of the "
        "newest runs are kept; those of older ones make room.",
    ),
    "FLOE-452": ErrorCode(
        "several runs begin so",
        "The beginning of a run's id names it where no other run begins so. A few more characters tell them apart.",
    ),
    "FLOE-453": ErrorCode(
        "there is no column lineage yet",
        "`floe graph --columns` draws what the lineage events of earlier runs say about columns. They are kept in "
        "`.floe/observability/lineage` as long as no OpenLineage endpoint is configured. Models of dbt tell their "
        "columns as they are built, unless `observability_level` is `job_level`; Python assets do where their "
        "materialisations carry column lineage.",
    ),
    "FLOE-455": ErrorCode(
        "there is no receiver of lineage events",
        "`floe lineage replay` sends events to the receiver that `OPENLINEAGE_URL` or another variable of OpenLineage "
        "names, else to `observability.lineage_endpoint` of platform.yaml.",
    ),
    "FLOE-456": ErrorCode(
        "no lineage events of that run are kept",
        "`floe lineage replay --run` names a run by the beginning of its id. Kept are events that a receiver did not "
        "take, and those of runs without a receiver.",
    ),
    "FLOE-457": ErrorCode(
        "a file that cannot be written",
        "`floe graph -o FILE` and `floe trace --html FILE` make the file, or write over it. They do not make its "
        "folder: a slip in the name would go unseen.",
    ),
}
"""Code → meaning, in the order of the codes."""
