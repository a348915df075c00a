import pytest
from django.db import connection


@pytest.mark.django_db
def test_database_is_postgresql_with_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version_num')::int, current_database()")
        version, name = cursor.fetchone()
    assert version >= 180000
    assert name == "test_shoufu"


@pytest.mark.django_db(transaction=True)
def test_transactions_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("create table kept (x int)")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from kept")
        assert cursor.fetchone() == (0,)
        cursor.execute("drop table kept")
