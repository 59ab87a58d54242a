"""``/docs``: the API reference, made from the OpenAPI document and from docs/."""
