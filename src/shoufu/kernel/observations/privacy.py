"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import Erase, Holding, Retention

holdings = (
    Holding(
        "observations.observation",
        lambda s: None,  # chosen by what a row says, in the log and in the archive: privacy/erasure/observations.py
        "as its kind says",
        "见各观测种类",
        erase=Erase.DELETE,
    ),
)

retentions = (
    Retention("shoufu.kernel.observations.tasks.apply_retention", "Observations past their kind's days", "过期的观测"),
)
