import io
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.imports import services
from shoufu.kernel.imports.models import Import
from shoufu.kernel.parties import selectors as parties
from shoufu.kernel.parties.models import Departure, Household, Membership, Organisation, Person, Residency, Vehicle
from shoufu.kernel.parties.services import Leaving, died, lapse, leave
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft, create_many

WANG, LI = "110101199003077571", "11010119900307299X"
HEAD = ("楼", "单元", "房号", "姓名", "身份", "身份证号", "手机号", "入住日期", "租期至")


def checked(head: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return head + "10X98765432"[sum(int(d) * w for d, w in zip(head, weights, strict=True)) % 11]


def book(*rows: tuple[object, ...], merge: str = "") -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


@pytest.fixture
def town(db: None) -> SimpleNamespace:
    """A compound with building 5 of two units; its manager, and the manager of another compound."""
    drafts = [
        PlaceDraft("district", "d", "皇姑区"),
        PlaceDraft("compound", "songshan", "松山小区", parent="d"),
        PlaceDraft("compound", "changjiang", "长江小区", parent="d"),
        PlaceDraft("building", "songshan-b5", "5号楼", parent="songshan"),
        PlaceDraft("unit", "songshan-b5-u1", "1单元", parent="songshan-b5"),
        PlaceDraft("unit", "songshan-b5-u2", "2单元", parent="songshan-b5"),
    ]
    places = {place.code: place for place in create_many(SYSTEM, drafts)}
    actors = {}
    for name, code in (("manager", "songshan"), ("other", "changjiang")):
        user = User.objects.create(username=name, display_name=name)
        since = timezone.now() - timedelta(days=1)
        RoleAssignment.objects.create(user=user, role="property_manager", place=places[code], since=since)
        actors[name] = actor_for_user(user)
    return SimpleNamespace(places=places, songshan=places["songshan"].pk, **actors)


def send(town: SimpleNamespace, data: bytes, kind: str = "people") -> tuple[Import, list[tuple[str, str]]]:
    draft, preview = services.upload(town.manager, kind, town.songshan, "文件.xlsx", data)
    return draft, [(str(error.row), error.field) for error in preview.plan.errors]


FAMILY = book(
    ("松山小区居民登记表",),
    HEAD,
    ("5号楼", "1单元", "301室", "王伟", "业主", WANG, 13800000001, date(2020, 5, 1), None),
    (None, None, None, "李芳", "家属", LI, "１３８００００００１２", "2020年5月1日", "长期"),
    ("5栋", 2.0, 402.0, "张敏", "租户", "", "138-0000-0003", 45292, "2030-12-31"),
    merge="A3:A4",
)


def test_a_file_fills_the_register_and_is_audited_row_by_row(town: SimpleNamespace) -> None:
    broken, errors = send(town, FAMILY)
    assert errors == [("4", "number")]  # only column A was merged downwards; unit may be left out, the number not
    whole = book(
        HEAD,
        ("5号楼", "1单元", "301室", "王伟", "业主", WANG, 13800000001, date(2020, 5, 1), None),
        ("五号楼", "1", "301", "李芳", "家属", LI, "１３８００００００１２", "2020年5月1日", "长期"),
        ("5栋", 2.0, 402.0, "张敏", "租户", "", "138-0000-0003", 45292, "2030-12-31"),
    )
    draft, errors = send(town, whole)
    assert errors == []
    assert Person.objects.count() == 0
    done = services.apply(town.manager, draft.pk)
    assert (done.rows, done.created, done.state) == (3, 3, "applied")
    assert Household.objects.count() == 2
    zhang = Residency.objects.get(person__name="张敏")
    assert (zhang.kind, zhang.since, zhang.until) == ("tenant", date(2024, 1, 1), date(2031, 1, 1))
    li = Person.objects.get(name="李芳")
    assert parties.look(town.manager, li.pk, "Probe").phone == "+8613800000012"
    assert AuditEntry.objects.filter(action="parties.create_person").count() == 3
    assert bytes(done.undo or b"") and done.content is None
    assert broken.pk != draft.pk


def test_the_same_file_again_changes_nothing_and_a_corrected_one_only_what_differs(town: SimpleNamespace) -> None:
    row = ("5", "1", "301", "王伟", "业主", WANG, "13800000001", "2020-05-01", "")
    services.apply(town.manager, send(town, book(HEAD, row))[0].pk)
    again, preview = services.upload(town.manager, "people", town.songshan, "a.xlsx", book(HEAD, row))
    assert (preview.created, preview.changed, preview.same) == (0, 0, 1)
    moved = (*row[:6], "13900000009", *row[7:8], "2031-01-31")
    draft, preview = services.upload(town.manager, "people", town.songshan, "a.xlsx", book(HEAD, moved))
    assert preview.plan.changes[0].fields == ("phone", "until")
    services.apply(town.manager, draft.pk)
    person = Person.objects.get()
    assert parties.look(town.manager, person.pk, "Probe").phone == "+8613900000009"
    assert Residency.objects.get().until == date(2031, 2, 1)
    services.undo(town.manager, draft.pk, "wrong file")
    assert parties.look(town.manager, person.pk, "Probe").phone == "+8613800000001"
    assert Residency.objects.get().until is None
    assert again.state == "draft"


def test_every_error_is_named_by_its_cell_and_nothing_is_written(town: SimpleNamespace) -> None:
    data = book(
        HEAD,
        ("5", "1", "301", "王伟", "业主", 110101199003077571, "13800000001", "2020-05-01", ""),
        ("9", "1", "301", "李芳", "业主", "", "12345", "01/02/2024", ""),
        ("5", "1", "302", "", "老板", "110101199003077572", "", "2024-02-30", ""),
        ("5", "1", "303", "赵云", "租户", "110101199003077000", "", "2024-03-01", "2024-02-01"),
        ("5", "", "303", "孙权", "", "", "", "", ""),
    )
    draft, errors = send(town, data)
    assert ("2", "identity") in errors
    assert {("3", "phone"), ("3", "since")} <= set(errors)
    assert {("4", "name"), ("4", "kind"), ("4", "identity"), ("4", "since")} <= set(errors)
    assert ("5", "identity") in errors
    assert ("6", "unit") in errors
    with pytest.raises(Invalid) as refusal:
        services.apply(town.manager, draft.pk)
    assert refusal.value.errors[0].field == "F2"
    assert not Person.objects.exists() and not Household.objects.exists()


def test_text_of_two_encodings_is_read_and_told_of(town: SimpleNamespace) -> None:
    data = "楼,单元,房号,姓名\n5,1,301,王伟\n".encode("utf-8-sig") + "5,1,302,张敏\n".encode("gb18030")
    draft, preview = services.upload(town.manager, "people", town.songshan, "x.csv", data)
    assert preview.applicable and [row for row, _note in preview.reading.notes] == [3]
    services.apply(town.manager, draft.pk)
    assert set(Person.objects.values_list("name", flat=True)) == {"王伟", "张敏"}


def test_a_column_that_was_not_recognised_is_chosen_by_hand(town: SimpleNamespace) -> None:
    data = book(("甲", "乙", "丙", "丁"), ("5", "1", "301", "王伟"))
    draft, errors = send(town, data)
    assert ("1", "name") in errors
    services.remap(town.manager, draft.pk, {"building": 0, "unit": 1, "number": 2, "name": 3})
    assert services.preview(town.manager, draft.pk).applicable


def test_an_import_is_undone_as_a_whole_while_nothing_depends_on_it(town: SimpleNamespace) -> None:
    row = ("5", "1", "301", "王伟", "业主", WANG, "13800000001", "2020-05-01", "")
    draft, _errors = send(town, book(HEAD, row))
    services.apply(town.manager, draft.pk)
    home = Household.objects.get()
    car = Vehicle.objects.create(plate="辽A12345", place_id=town.songshan, household=home, since=date(2024, 1, 1))
    assert services.obstacles(town.manager, draft.pk)
    with pytest.raises(Conflict):
        services.undo(town.manager, draft.pk, "wrong file")
    car.delete()
    services.undo(town.manager, draft.pk, "wrong file")
    assert not Person.objects.exists() and not Household.objects.exists() and not Residency.objects.exists()
    with pytest.raises(Conflict):
        services.undo(town.manager, draft.pk, "twice")


def test_places_vehicles_and_staff_have_their_files_too(town: SimpleNamespace) -> None:
    places = book(("楼号", "单元号", "门"), ("6", "1", "单元门"), ("6", "2", ""), ("5号楼", "3单元", ""))
    draft, errors = send(town, places, "places")
    assert errors == []
    services.apply(town.manager, draft.pk)
    made = Place.objects.filter(path__startswith=town.places["songshan"].path)
    assert set(made.values_list("name", flat=True)) >= {"6号楼", "1单元", "2单元", "3单元", "单元门"}
    services.apply(town.manager, send(town, book(HEAD[:4], ("5", "3", "101", "王伟")))[0].pk)
    cars = book(("车牌号", "住址"), ("辽a·12345", "5-3-101"), ("辽AD12345", ""), ("坏车牌", ""))
    assert send(town, cars, "vehicles")[1] == [("4", "plate")]
    cars = book(("车牌号", "住址"), ("辽a·12345", "5-3-101"), ("辽AD12345", ""))
    services.apply(town.manager, send(town, cars, "vehicles")[0].pk)
    assert Vehicle.objects.get(plate="辽A12345").household == Household.objects.get()
    staff = book(("姓名", "单位", "岗位", "电话"), ("周明", "洁净保洁公司", "保洁员", "13800000077"))
    services.apply(town.manager, send(town, staff, "staff")[0].pk)
    assert Organisation.objects.get().kind == "company" and Membership.objects.get().title == "保洁员"


def test_nobody_fills_a_register_that_is_not_theirs(town: SimpleNamespace) -> None:
    with pytest.raises((Forbidden, NotFound)):
        services.upload(town.other, "people", town.songshan, "x.xlsx", FAMILY)
    draft, _errors = send(town, FAMILY)
    with pytest.raises(NotFound):
        services.preview(town.other, draft.pk)


def test_queries_do_not_grow_with_the_rows(town: SimpleNamespace) -> None:
    counts = []
    for first, rows in ((0, 5), (100, 60)):
        lines = [("5", "1", str(first + n), f"人{n}", "业主", "", "", "", "") for n in range(rows)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            draft, _errors = send(town, book(HEAD, *lines))
            services.apply(town.manager, draft.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 60


def test_files_and_ways_back_are_forgotten(town: SimpleNamespace) -> None:
    draft, _errors = send(town, book(HEAD, ("5", "1", "301", "王伟", "", "", "", "", "")))
    assert services.purge(SYSTEM, timezone.now() + timedelta(days=2)) == 1
    draft.refresh_from_db()
    assert draft.state == "dropped" and draft.content is None


@pytest.fixture
def home(town: SimpleNamespace) -> SimpleNamespace:
    """Wang owns 301 and has a car; Zhang rents 402 until the end of 2030."""
    rows = (
        ("5", "1", "301", "王伟", "业主", WANG, "13800000001", "2020-05-01", ""),
        ("5", "2", "402", "张敏", "租户", "", "13800000003", "2024-01-01", "2030-12-31"),
    )
    services.apply(town.manager, send(town, book(HEAD, *rows))[0].pk)
    wang, zhang = Residency.objects.get(person__name="王伟"), Residency.objects.get(person__name="张敏")
    Vehicle.objects.create(plate="辽A12345", place_id=town.songshan, household=wang.household, since=date(2024, 1, 1))
    return SimpleNamespace(wang=wang, zhang=zhang, **vars(town))


def test_moving_out_ends_rights_now_and_gives_a_receipt(home: SimpleNamespace) -> None:
    departure = leave(home.manager, Leaving(home.wang.pk, "moved_out", "房屋已售"))
    home.wang.refresh_from_db()
    assert home.wang.ended_at is not None and home.wang.until is not None
    assert [line["what"] for line in departure.lines if "辽A12345" in line["what"]]
    assert not Vehicle.objects.filter(until__isnull=True).exists()
    with pytest.raises(Conflict):
        leave(home.manager, Leaving(home.wang.pk))
    with pytest.raises(NotFound):
        leave(home.other, Leaving(home.zhang.pk))


def test_a_tenancy_ends_by_itself_at_midnight_of_its_place(home: SimpleNamespace) -> None:
    before = datetime.fromisoformat("2030-12-31T23:59:00+08:00")
    assert lapse(SYSTEM, before) == []
    (departure,) = lapse(SYSTEM, before + timedelta(minutes=1))
    assert departure.cause == "lapsed" and departure.person == home.zhang.person
    assert lapse(SYSTEM, before + timedelta(minutes=2)) == []


def test_a_death_ends_everything_once(home: SimpleNamespace) -> None:
    with pytest.raises(Invalid):
        died(home.manager, home.wang.person_id, date(2199, 1, 1))
    died(home.manager, home.wang.person_id, date(2026, 11, 20))
    assert Departure.objects.get().cause == "died"
    assert Person.objects.get(name="王伟").died_on == date(2026, 11, 20)
    with pytest.raises(Conflict):
        died(home.manager, home.wang.person_id, date(2026, 11, 20))
