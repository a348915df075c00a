from shoufu.kernel.base.lists.pages import Bulk, Column, Filter, ListPage, View, answer, read
from shoufu.kernel.base.lists.sheets import csv_response

__all__ = ["Bulk", "Column", "Filter", "ListPage", "View", "answer", "csv_response", "read"]
