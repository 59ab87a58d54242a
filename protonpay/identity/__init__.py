"""The port to whoever can tell whether people are who they say."""
