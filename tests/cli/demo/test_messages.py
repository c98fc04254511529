"""The demo reads the messages of docs/messages.md."""

from stream_rec.cli.demo.messages import ListedItem, Reason, decode_event, decode_list


def test_event_is_read_with_its_place_and_time():
    value = b'{"user":"42","item":"0068646","type":"rating","value":9,"ts":1380563390000}'
    event = decode_event(value, partition=3, offset=7, produced_ms=1_700_000_000_000)
    assert event == (3, 7, 1_700_000_000_000, "42", "0068646", 9.0)


def test_list_is_read_with_its_source():
    value = (
        b'{"user":"42","items":[{"item":"7","score":0.5,"reasons":[{"source":"taken_next",'
        b'"because":"9"}]},{"item":"8","score":0.1,"reasons":[{"source":"popular_2h"}]}],'
        b'"generated_at":1700000000000,"model_version":"1","source":{"topic":"events",'
        b'"partition":3,"offset":7,"ts":1380563390.0}}'
    )
    refreshed = decode_list(value, received_ms=12.5)
    assert refreshed == (
        3,
        7,
        12.5,
        "42",
        (
            ListedItem("7", (Reason("taken_next", "9"),)),
            ListedItem("8", (Reason("popular_2h", None),)),
        ),
    )
