"""The HTTP service answers as the engine would, from what Kafka holds, for any user."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from stream_rec.config import Settings
from stream_rec.model.together import had_both
from stream_rec.serving.keys import Keys, new_key
from tests.model.logs import FakeRecord
from tests.serving.conftest import LOG, NEAR_TIE, Served, scores_by_engine, serving
from tests.stream.topics import read_all

JSON = {"content-type": "application/json"}


async def get(served: Served, path: str, status: int = 200) -> Any:
    answer = await served.client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def post(served: Served, path: str, body: object, status: int = 200) -> Any:
    answer = await served.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def ids(answer: Any) -> list[str]:
    return [entry["item"] for entry in answer["items"]]


async def test_lists_of_users_known_and_unknown(served: Served) -> None:
    known = await get(served, "/users/u3/recommendations")
    assert (known["kind"], known["stale"], len(known["items"])) == ("personal", False, 10)
    assert known["source"]["offset"] == max(x for x, e in enumerate(LOG) if e.user == "u3")

    unknown = await get(served, "/users/nobody/recommendations?n=7")
    assert unknown["kind"] == "trending"
    scores = scores_by_engine(served, "nobody")
    listed = [scores[item] for item in ids(unknown)]
    assert listed == pytest.approx(list(scores.values())[:7], abs=NEAR_TIE)


async def test_shorter_longer_and_thinned_lists_keep_the_order(served: Served) -> None:
    whole = ids(await get(served, "/users/u3/recommendations"))
    assert ids(await get(served, "/users/u3/recommendations?n=3")) == whole[:3]
    longer = ids(await get(served, "/users/u3/recommendations?n=30"))
    assert longer[: len(whole)] == whole
    assert len(set(longer)) == len(longer) == 30
    without = f"{whole[0]},{whole[4]}"
    thinned = ids(await get(served, f"/users/u3/recommendations?exclude={without}"))
    assert thinned[:8] == [item for x, item in enumerate(whole) if x not in (0, 4)]
    assert len(thinned) == 10
    assert not {whole[0], whole[4]} & set(thinned)


@pytest.mark.parametrize(
    "path",
    ["/users/u3/recommendations", "/users/u3/recommendations?n=5", "/users/u3", "/items/i5"],
)
async def test_what_the_client_has_is_not_sent_again(served: Served, path: str) -> None:
    first = await served.client.get(path)
    assert first.status_code == 200
    again = await served.client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await served.client.get(path, headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_posted_event_is_in_the_list_that_waits_for_it(served: Served) -> None:
    event = {"user": "u3", "item": "i77", "type": "click", "ts": LOG[-1].ts}
    place = (await post(served, "/events", event, 202))["events"][0]
    at_ms = int((LOG[-1].ts or 0.0) * 1000)
    offset = len(LOG) + place["offset"]
    record = FakeRecord(offset, b"u3", json.dumps(event).encode(), at_ms)
    served.teacher.take([record])
    url = f"/users/u3/recommendations?wait_for={place['partition']}:{record.offset}"
    answer = await get(served, url)
    assert answer["reflects"] is True
    assert answer["source"]["offset"] == record.offset
    assert "i77" not in ids(answer)


@pytest.mark.parametrize(
    ("trace", "is_taken"), [(f"00-{'a' * 32}-{'b' * 16}-01", True), ("x", False)]
)
async def test_a_posted_event_carries_the_trace_of_its_request(
    served: Served, settings: Settings, trace: str, is_taken: bool
) -> None:
    given = {"traceparent": trace, "tracestate": "shop=1"}
    event = {"user": "u3", "item": "i77", "type": "click"}
    answer = await served.client.post("/events", json=event, headers=given)
    assert answer.status_code == 202
    written = await asyncio.to_thread(read_all, settings.kafka.broker, settings.topics.events)
    headers = {name: value.decode() for name, value in written[-1].headers() or ()}
    assert headers == (given if is_taken else {})


async def test_waiting_in_vain_gives_the_list_as_it_is(settings: Settings) -> None:
    serve = settings.serve.model_copy(update={"wait_ms_max": 1})
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        answer = await get(served, "/users/u3/recommendations?wait_for=0:999999")
        assert answer["reflects"] is False
        assert len(answer["items"]) == 10


async def test_bad_events_are_named_and_nothing_is_written(served: Served) -> None:
    good = {"user": "a", "item": "i1", "type": "click"}
    bad = [good, {"user": "a"}, good, {**good, "type": "nonsense"}, {**good, "type": "forget"}]
    problem = await post(served, "/events", bad, 422)
    assert [error["index"] for error in problem["errors"]] == [1, 3, 4]
    assert (await post(served, "/events", good, 202))["events"][0]["offset"] == 0
    assert len((await post(served, "/events", [good] * 3, 202))["events"]) == 3
    await post(served, "/events", [good] * 51, 422)
    await post(served, "/events", [], 422)


async def test_what_is_no_json_or_too_large_is_a_problem(served: Served) -> None:
    for body, headers, status in (
        (b"{", JSON, 422),
        (b"\xff", JSON, 422),
        (b"[" * 9_000, JSON, 422),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"[" * 20_001, JSON, 413),
    ):
        answer = await served.client.post("/events", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


async def test_items_and_trends_are_those_of_the_view(served: Served) -> None:
    similar = await get(served, "/items/i5/similar?n=3")
    assert similar["total"] > 3
    page = await get(served, similar["next"])
    scores = [entry["score"] for entry in similar["items"] + page["items"]]
    assert scores == sorted(scores, reverse=True)
    assert not set(ids(similar)) & set(ids(page))
    assert (await get(served, "/items/i5/next"))["relation"] == "next"
    await get(served, "/items/nothing/similar", 404)
    trending = await get(served, "/trending?window=2h")
    assert trending["half_life_s"] == 7_200.0
    assert len(trending["items"]) == 10
    await get(served, "/trending?window=1h", 422)


async def test_sessions_and_ranking_store_nothing(served: Served) -> None:
    n_items = served.service.catalogue.n_items
    body = {"items": ["i3", "never heard of"], "n": 5, "exclude": ["i7"]}
    session = await post(served, "/sessions/recommendations", body)
    assert len(session["items"]) == 5
    assert not {"i3", "i7"} & set(ids(session))
    candidates = [*ids(session), "never heard of"]
    ranked = await post(served, "/rank", {"candidates": candidates[::-1], "items": ["i3"]})
    assert ids(ranked) == ids(session)
    assert ranked["unknown"] == ["never heard of"]
    assert served.service.catalogue.n_items == n_items


async def test_what_is_known_of_a_user(served: Served) -> None:
    about = await get(served, "/users/u3?n=4")
    newest = next(event for event in reversed(LOG) if event.user == "u3")
    assert about["last_ts"] == newest.ts
    assert len(about["history"]) == 4
    assert about["total"] > 4
    await get(served, "/users/nobody", 404)


async def test_asking_to_forget_writes_the_request(served: Served) -> None:
    answer = await served.client.delete("/users/u3")
    assert answer.status_code == 202
    assert answer.json() == {"topic": "events", "partition": 0, "offset": 0}


async def test_kafka_away_serves_the_last_lists_marked_stale(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids(await get(served, "/users/u3/recommendations"))
    monkeypatch.setattr(type(served.service), "silence_s", 60.0)
    answer = await get(served, "/users/u3/recommendations")
    assert (answer["stale"], ids(answer)) == (True, before)
    refused = await served.client.post("/events", json={"user": "a", "item": "i1", "type": "click"})
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert (await get(served, "/readyz", 503))["ready"] is False


async def test_keys_give_what_their_scopes_say(settings: Settings) -> None:
    reader, read_key = new_key("reader", ["read"])
    async with serving(settings, Keys([reader])) as served:
        await get(served, "/users/u3/recommendations", 401)
        await get(served, "/healthz")
        served.client.headers["authorization"] = f"Bearer {read_key}"
        await get(served, "/users/u3/recommendations")
        await post(served, "/events", {}, 403)
        assert (await served.client.delete("/users/u3")).status_code == 403
        await get(served, "/live/search?q=")
        await get(served, "/live/users", 403)


async def test_a_page_under_another_name_cannot_reach_it(served: Served) -> None:
    answer = await served.client.get("/trending", headers={"host": "evil.example"})
    assert answer.status_code == 400


async def test_too_many_requests_are_told_when_to_come_again(settings: Settings) -> None:
    serve = settings.serve.model_copy(update={"rate_limit_per_s": 0.1, "rate_burst": 2})
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        statuses = [(await served.client.get("/trending")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_a_stream_sends_the_list_and_each_refreshed_one(served: Served) -> None:
    lists = served.service.lists
    stream = lists.open_stream("u3")
    served.teacher.take(
        [FakeRecord(5_000, b"u3", b'{"user":"u3","item":"i9","type":"click"}', 1_700_100_000_000)]
    )
    message = await served.service.next_of(stream, 30.0)
    assert message is not None
    assert json.loads(message)["source"]["offset"] == 5_000
    lists.end_streams()
    assert await served.service.next_of(stream, 30.0) is None
    lists.close_stream("u3", stream)


async def test_metrics_count_requests_by_route(served: Served) -> None:
    await get(served, "/users/u3/recommendations")
    text = (await served.client.get("/metrics")).text
    route = 'method="GET",path="/users/{user}/recommendations",status="200"'
    assert f"stream_rec_http_requests_total{{{route}}} 1.0" in text
    assert "stream_rec_http_ready 1.0" in text


async def test_pages_load_nothing_from_outside(served: Served) -> None:
    for path in ("/", "/docs"):
        page = await served.client.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        loaded = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert loaded
        for address in loaded:
            assert address.startswith("/page/")
            assert (await served.client.get(address)).status_code == 200


async def test_a_user_that_can_be_nobody_is_not_forgotten(served: Served) -> None:
    assert (await served.client.delete("/users/" + "x" * 300)).status_code == 422


async def test_an_explained_list_is_the_users_list(served: Served) -> None:
    known = await get(served, "/live/user/u3")
    listed = await get(served, "/users/u3/recommendations")
    assert sorted(ids({"items": known["explained"]})) == sorted(ids(listed))
    scores = [entry["score"] for entry in known["explained"]]
    assert scores == sorted(scores, reverse=True)
    assert all("taken_together" in entry["sources"] for entry in known["explained"])
    assert known["history"] == (await get(served, "/users/u3?n=100"))["history"]
    assert await get(served, "/live/user/nobody") is None


async def test_the_page_looks_into_an_item_as_the_api_does(served: Served) -> None:
    known = await get(served, "/live/item/i4")
    assert known["popular"] == (await get(served, "/items/i4"))["popular"]
    for relation in ("similar", "next"):
        assert known[relation] == (await get(served, f"/items/i4/{relation}"))["items"]
    assert await get(served, "/live/item/nothing") is None


async def test_the_page_asks_how_many_had_both(served: Served) -> None:
    strongest = (await get(served, "/items/i4/similar"))["items"][0]["item"]
    counts = await get(served, f"/live/pairs?ids=i4%09{strongest}%09i4%09nothing")
    assert counts == [had_both(served.service.catalogue.engine, "i4", strongest), 0]
    assert counts[0] > 0


async def test_the_latest_users_are_those_of_the_stream(served: Served) -> None:
    latest = await get(served, "/live/users")
    assert latest
    assert set(latest) <= {event.user for event in LOG}
