# /// script
# dependencies = ["kirby"]
# ///
"""Sends one record to a topic with the script library."""

from kirby import Context, Topic, log

__version__ = "1.0.0"


class Settings(Context):
    """What the context gives."""

    loaf: str


settings = Settings()
with Topic("loaves") as loaves:
    loaves.send({"loaf": settings.loaf}, key="1")
log.info("sent %s", settings.loaf)
