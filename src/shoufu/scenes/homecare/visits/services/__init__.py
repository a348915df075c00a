from shoufu.scenes.homecare.visits.services.states import begin, finish, miss

__all__ = ["begin", "finish", "miss"]
