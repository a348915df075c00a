from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.community.welfare import services
from shoufu.scenes.community.welfare.models import Check, Helper, Ladder, Sensor, Watch

MINE, ACT = "/community/welfare/mine/", "/community/welfare/mine/act"


def client(story: Any, name: str) -> Client:
    browser = Client()
    browser.force_login(story.homes.users[name])
    return browser


def test_a_resident_joins_reads_what_is_learned_and_leaves(story: Any) -> None:
    services.leave(story.act("mei"))
    mei = client(story, "mei")
    assert "有人惦记您" in mei.get(MINE).content.decode()
    mei.post(ACT, {"act": "join", "sensors": [story.sensor.pk], "button_at": "10:00"})
    story.learn(40)
    page = mei.get(MINE).content.decode()
    assert "已了解您 40 天" in page and "平安关怀中" in page
    mei.post(ACT, {"act": "helper", "name": "邻居", "phone": "13700001111"})
    assert "邻居" in mei.get(MINE).content.decode()
    assert mei.post(ACT, {"act": "pause", "until": "2020-01-01"}).status_code == 422
    assert mei.post(ACT, {"act": "sensors"}, follow=True).status_code == 200
    assert Watch.objects.get().mode == "button" and Sensor.objects.get().watch_id is None
    mei.post(ACT, {"act": "unhelper", "helper": Helper.objects.get().pk})
    mei.post(ACT, {"act": "leave"})
    assert not Watch.objects.exists()


def test_withdrawing_under_my_data_stops_it_as_well(story: Any) -> None:
    privacy.withdraw_consent(story.act("mei"), "welfare")
    assert not Watch.objects.exists()


def test_the_question_stands_on_the_first_page_of_whom_it_concerns(story: Any) -> None:
    story.collapse()
    story.tick()
    home = "/community/resident/"
    assert "我很好" in client(story, "mei").get(home).content.decode()
    assert "没有回答" not in client(story, "lan").get(home).content.decode()
    story.tick(16)
    page = client(story, "lan").get(home + "asked/").content.decode()
    assert "欧阳梅香没有回答" in page and "没有动静" in page
    assert "没有回答" not in client(story, "li").get(home).content.decode()
    done = client(story, "lan").post(reverse("community:welfare:answer", args=[story.check.pk]), {"act": "reached"})
    assert done.status_code == 302 and Check.objects.get().outcome == "reached"


def test_the_worker_sees_one_bit(story: Any) -> None:
    story.collapse()
    for minutes in (0, 16, 37):
        story.tick(minutes)
    worker = client(story, "worker")
    assert "欧阳梅香" in worker.get("/community/welfare/").content.decode()
    page = worker.get(f"/community/welfare/checks/{story.check.pk}/").content.decode()
    assert "13811112222" in page and "女儿" in page
    for word in ("没有动静", "以往最长", "安静", "silent"):
        assert word not in page.replace("平安", "")
    entry = AuditEntry.objects.get(action="welfare.look")
    assert entry.subject == story.homes.mei.pk
    assert worker.get("/community/welfare/people/").status_code == 403
    assert client(story, "guard").get(f"/community/welfare/checks/{story.check.pk}/").status_code == 404
    assert "欧阳" not in client(story, "guard").get("/community/welfare/").content.decode()
    worker.post(f"/community/welfare/checks/{story.check.pk}/", {"act": "going"})
    assert Check.objects.get().going_by == story.homes.users["worker"]


@pytest.mark.parametrize("path", ["", "people/", "people/?format=csv", "people/join/", "sensors/", "steps/"])
def test_the_manager_reads_every_page(story: Any, path: str) -> None:
    assert client(story, "manager").get(f"/community/welfare/{path}").status_code == 200


def test_at_the_desk_with_the_resident_there(story: Any) -> None:
    services.leave(story.act("mei"))
    manager = client(story, "manager")
    sent = {"home": "1-1-101", "person": story.homes.mei.pk, "name": "女儿", "phone": "13933334444"}
    sent |= {"sensors": story.sensor.pk, "worker_role": "community_worker"}
    refused = manager.post("/community/welfare/people/join/", sent)
    assert refused.status_code == 422 and "本人" in refused.content.decode() and not Watch.objects.exists()
    made = manager.post("/community/welfare/people/join/", sent | {"present": "on"})
    row = Watch.objects.get()
    assert made.status_code == 302 and "前台" in row.how and row.mode == "sensors"
    entry = AuditEntry.objects.filter(action="parties.give_consent").latest("pk")
    assert entry.subject == story.homes.mei.pk and entry.actor_id == str(story.homes.users["manager"].pk)
    page = manager.get(f"/community/welfare/people/{row.pk}/")
    assert page.status_code == 200
    assert client(story, "other_guard").get(f"/community/welfare/people/{row.pk}/").status_code in (403, 404)


def test_the_minutes_of_each_step_are_the_compounds_own(story: Any) -> None:
    manager = client(story, "manager")
    sent = {"place": story.homes.world.songshan.pk, "contact_minutes": 5, "worker_minutes": 5, "going_minutes": 5}
    assert manager.post("/community/welfare/steps/", sent | {"resident_minutes": 0}).status_code == 422
    manager.post("/community/welfare/steps/", sent | {"resident_minutes": 3})
    assert Ladder.objects.get().resident_minutes == 3
    story.collapse()
    story.tick()
    story.tick(4)
    assert story.check.step == "contact"


def test_an_export_says_what_was_learned(story: Any) -> None:
    from shoufu.kernel.privacy import declarations

    story.learn(40)
    held = next(one for one in declarations.holdings() if one.model == "community_welfare.watch")
    assert callable(held.export)
    assert "40" in held.export(story.watch)["learned"]
