"""The text of a YAML document → its values with their places, or one sentence for what is wrong with it."""
