from shoufu.scenes.homecare.quality.models.bars import Appeal, Bar, Sanction
from shoufu.scenes.homecare.quality.models.complaints import Complaint
from shoufu.scenes.homecare.quality.models.incidents import Incident
from shoufu.scenes.homecare.quality.models.ratings import Policy, Rating
from shoufu.scenes.homecare.quality.models.refusals import Refusal
from shoufu.scenes.homecare.quality.models.steps import Step
from shoufu.scenes.homecare.quality.models.summaries import MonthSummary

__all__ = [
    "Appeal",
    "Bar",
    "Complaint",
    "Incident",
    "MonthSummary",
    "Policy",
    "Rating",
    "Refusal",
    "Sanction",
    "Step",
]
