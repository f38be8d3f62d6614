"""Codes of what is wrong with a document by itself."""

from collections.abc import Mapping

from floe_core.error_codes.error_code import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    # ---- 10x: YAML
    "FLOE-101": ErrorCode(
        "the text is not YAML",
        "The document cannot be parsed. The message names the place where reading stopped; the slip itself may stand a "
        "line earlier, where a quote, a bracket or an indented block was left open.",
        wrong='name: "shop',
        right='name: "shop"',
    ),
    "FLOE-102": ErrorCode(
        "a key is written twice",
        "A mapping names the same key more than once. Most YAML readers keep the last one without a word, so that a "
        "block pasted twice hides the first. Keep one of the two.",
        wrong="name: shop\nname: store",
        right="name: shop",
    ),
    "FLOE-103": ErrorCode(
        "a YAML tag that is not allowed",
        "Tags such as `!!python/object` or `!Ref` build objects or belong to other tools. Documents hold plain values: "
        "text, numbers, true, false, null, lists and mappings. `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, "
        "`!!seq` and `!!map` are understood.",
        wrong="name: !Ref shop",
        right="name: shop",
    ),
    "FLOE-104": ErrorCode(
        "a key that is not text",
        "Every key is a name. A number, true, false, null, a list or a mapping as a key is refused; put quotes around "
        "it where the name really looks like that: `'1': …`.",
        wrong="x-ids: {1: eu}",
        right="x-ids: {'1': eu}",
    ),
    "FLOE-105": ErrorCode(
        "values that repeat or nest without end",
        "An alias (`*name`) stands inside the value that it repeats, names no anchor, or repeats repetitions until the "
        "document is far larger than its text; or values are nested very deep, or the file itself has megabytes. An "
        "anchor (`&name`) comes before its aliases and contains none of them. `<<` merges mappings only.",
        wrong="x-tags: *common",
        right="x-common: &common {team: data}\nx-tags: *common",
    ),
    "FLOE-106": ErrorCode(
        "more than one document in a file",
        "A line `---` starts a second YAML document. One file holds one document; put the rest into a file of its own "
        "or delete the line.",
        wrong="name: shop\n---\nname: store",
        right="name: shop",
    ),
    "FLOE-107": ErrorCode(
        "the document is not a mapping",
        "A document is a mapping from section names to their contents, such as `version: 1.0.0`. This file is empty or "
        "holds a list or a single value.",
        wrong="- name: shop",
        right="name: shop",
    ),
    "FLOE-108": ErrorCode(
        "the file is not text",
        "Documents are UTF-8 text without control characters. Save the file as UTF-8.",
        wrong="name: shop\x07",
        right="name: shop",
    ),
    "FLOE-109": ErrorCode(
        "a tab where YAML allows spaces only",
        "YAML is indented by spaces. Set the editor to insert spaces, and replace the tabs that are there.",
        wrong="orchestration:\n\tjobs: {}",
        right="orchestration:\n  jobs: {}",
    ),
    # ---- 11x: values from the environment
    "FLOE-110": ErrorCode(
        "a malformed ${…} expression",
        "An expression is `${NAME}`, `${NAME:default}` or `${NAME:-default}`; a name has letters, digits and `_` and "
        "does not start with a digit. A text that is meant to hold `${` as it stands is written `$${`.",
        wrong="name: ${NAME",
        right="name: ${NAME}",
    ),
    "FLOE-111": ErrorCode(
        "an environment variable is not set",
        "The document uses `${NAME}` without a default, and the environment has no such variable. Set it, or write a "
        "default: `${NAME:value}`. `floe validate` warns and leaves the value unchecked; loading and "
        "`floe validate --strict-env` stop.",
        wrong="name: ${SHOP_NAME}",
        right="name: ${SHOP_NAME:shop}",
    ),
    "FLOE-112": ErrorCode(
        "a default that reads otherwise in a shell",
        "`${N:-5}` is the shell's way to write the default 5. Minus five is written `${N:--5}`. The shell's "
        "`${N:?text}`, `${N:=text}` and `${N:+text}` are no forms of floe: there `?text` is the default of N.",
        wrong="orchestration:\n  jobs:\n"
        "    copy: {type: ops, target_function: shop.copy, args: {offset: '${OFFSET:-5}'}}",
        right="orchestration:\n  jobs:\n"
        "    copy: {type: ops, target_function: shop.copy, args: {offset: '${OFFSET:--5}'}}",
    ),
    "FLOE-113": ErrorCode(
        "an expression in a key",
        "`${NAME}` works in every value and in no key: names of jobs, assets and options are the same in every "
        "environment. Where an entry is to differ, let its values differ, or use `environments`.",
        wrong="orchestration:\n  jobs:\n    'load_${ENV}': {type: batch, selection: '*'}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: {env: '${ENV:local}'}}",
    ),
    # ---- 12x: the schema
    "FLOE-120": ErrorCode(
        "an unknown key",
        "The key is not one that this place takes. Nothing is ignored silently: a misspelt key would leave a setting "
        "at its default. Top-level keys that begin with `x-` are yours, for anchors and notes.",
        wrong="orchestration:\n  jbos: {}",
        right="orchestration:\n  jobs: {}",
    ),
    "FLOE-121": ErrorCode(
        "a key is missing",
        "This place needs a key that is not there.",
        wrong="orchestration:\n  jobs:\n    load: {type: batch}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: ['group:bronze']}",
    ),
    "FLOE-122": ErrorCode(
        "a value of the wrong type",
        "The field takes another type of value, for example a list where a text stands. A value from the environment "
        "is converted where its text allows that.",
        wrong="orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: nightly}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: '*', tags: {when: nightly}}",
    ),
    "FLOE-123": ErrorCode(
        "a value that is not one of the choices",
        "The field takes one of a few values, which the message lists.",
        wrong="orchestration:\n  dbt: {observability_level: per_modle}",
        right="orchestration:\n  dbt: {observability_level: per_model}",
    ),
    "FLOE-124": ErrorCode(
        "an unknown or missing type",
        "The entry comes in several kinds, and its `type:` says which. It is missing or names none of them.",
        wrong="orchestration:\n  jobs:\n    load: {type: bach, selection: '*'}",
        right="orchestration:\n  jobs:\n    load: {type: batch, selection: '*'}",
    ),
    "FLOE-125": ErrorCode(
        "a value that breaks a rule of its field",
        "The value has the right type but not a form or range that works; the message states the rule.",
        wrong="orchestration:\n  schedules:\n    nightly: {selection: '*', cron_schedule: '0 25 * * *'}",
        right="orchestration:\n  schedules:\n    nightly: {selection: '*', cron_schedule: '0 23 * * *'}",
    ),
    "FLOE-126": ErrorCode(
        "a secret in a document",
        "Documents name secrets and never hold them: `{secret_ref: NAME}` is the environment variable NAME, or the "
        "file NAME in the folder that FLOE_SECRETS_DIR names. It is read only where it is used, so that it reaches no "
        "file, no log and no message. Not even `${NAME}` may stand where a secret is meant; a field that takes text "
        "only is given `${NAME}`. Every value of platform.yaml is searched: for addresses with a password, for tokens "
        "of known services, and for what stands under the name of a secret; so is every comment. What only looks like "
        "a secret passes by a comment: `# floe: allow FLOE-126 - reason`.",
        wrong="observability: {lineage_api_key: ab12cd34}",
        right="observability: {lineage_api_key: {secret_ref: MARQUEZ_KEY}}",
    ),
    # ---- 13x: files and folders
    "FLOE-130": ErrorCode(
        "a document cannot be found or read",
        "The project folder is the one that holds floe.yaml; it is looked for from the working directory (or "
        "`--project DIR`) upwards.",
        wrong="floe validate   # in a folder without a floe.yaml",
        right="floe validate --project shop",
    ),
    "FLOE-131": ErrorCode(
        "the .floe folder cannot be written",
        "floe keeps what it generates in `.floe` beside floe.yaml. The folder must be writable for `floe compile`; "
        "loading compiled artifacts works without.",
        wrong="chmod a-w .floe && floe compile",
        right="chmod u+w .floe && floe compile",
    ),
    "FLOE-132": ErrorCode(
        "the folder's name means something else in a URL",
        "Dagster, dbt and the catalog name their files below the project folder by URLs. There `#` and `?` end a path, "
        "and `%20` is a space, so that they would look elsewhere for what they have written.",
        wrong="cd 'shop #2' && floe run load",
        right="mv 'shop #2' shop_2 && cd shop_2 && floe run load",
    ),
}
