"""The HTTP toolkit that blueprints and schemas use; services never do."""
