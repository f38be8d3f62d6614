"""`orchestration.assets`: what floe.yaml sets for the assets that its patterns match."""
