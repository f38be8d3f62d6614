"""Which assets an expression of floe.yaml selects."""
