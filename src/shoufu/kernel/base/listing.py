from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.lists.sheets import csv_response

__all__ = ["ListQuery", "Page", "answer", "csv_response"]
