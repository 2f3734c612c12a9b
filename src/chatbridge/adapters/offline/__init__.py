"""A model that needs no network: rules in place of a provider, as a model of the Agents SDK."""
