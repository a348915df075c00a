"""The table of rights: `rows_*` say which right each operation needs; `sides*` build the two compounds to try."""

from tests.kernel.access.rights import (
    rows_community,
    rows_homecare,
    rows_kernel,
    rows_money,
    rows_planning,
    rows_quality,
    rows_visits,
)
from tests.kernel.access.rights.shape import Row

ROWS: dict[str, Row] = {
    **rows_kernel.ROWS,
    **rows_money.ROWS,
    **rows_community.ROWS,
    **rows_homecare.ROWS,
    **rows_visits.ROWS,
    **rows_planning.ROWS,
    **rows_quality.ROWS,
}
