"""How long one example may take says nothing about the model, only about the machine."""

from hypothesis import settings

settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")
