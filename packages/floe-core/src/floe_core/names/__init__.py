"""The forms that names and values take: one annotated type per form, each with its reason to refuse a value."""
