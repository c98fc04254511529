"""Laws of what is shown: it fits, and it says what the snapshot says."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from stream_rec.cli.demo.live import live_view
from stream_rec.cli.demo.messages import ListedItem, Reason
from stream_rec.cli.demo.plain import moment_line, progress_line
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.summary import summary
from stream_rec.cli.demo.views import PlainView, open_view, save_picture
from stream_rec.cli.demo.words import latency_text, reason_of, sparkline

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]


def draw(renderable, width, height=24):
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("phase", Phase)
def test_live_view_fills_the_terminal_exactly(snapshot, titles, width, height, phase):
    lines = draw(live_view(replace(snapshot, phase=phase), titles, width, height), width, height)
    lines = lines.splitlines()
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_live_view_shows_every_figure(snapshot, titles, width, height):
    text = draw(live_view(snapshot, titles, width, height), width, height)
    for figure in ("20,000 ratings", "12,345 in", "12,340 lists", "803 events/s", "process 4711"):
        assert figure in text
    for figure in ("p50 6 ms", "p99 21 ms", "stream_rec 0.251", "popularity 0.148", "7,593"):
        assert figure in text
    assert "recommendations" in text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_live_view_shows_titles_and_reasons(snapshot, titles, width, height):
    text = draw(live_view(snapshot, titles, width, height), width, height)
    assert "user 42 rated Alien (1979) 9  ✔ was no. 2 on their list" in text
    assert "because you rated Alien 9" in text
    assert "Heat (1979)" in text
    assert "popular now" in text
    assert text.count("user 42") == {24: 2, 30: 3, 40: 4, 60: 5}[height]


def test_live_view_before_the_first_event_says_what_is_going_on(titles):
    text = draw(live_view(Snapshot(Phase.WORKER, n_expected=20_000), titles, 80, 24), 80)
    assert "starting …" in text
    assert "the very first start compiles the model" in text


@pytest.mark.parametrize("width", [80, 120])
def test_summary_fits_and_tells_the_figures(snapshot, titles, width):
    text = draw(summary(snapshot, titles, 25.2, width), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "12,345 film ratings in, 12,340 refreshed lists out, 490 a second" in text
    assert "p50 6 ms, p99 21 ms" in text
    assert "0.251 served lists, 0.148 plain popularity (1.70×), 7,593 scored" in text
    assert "stream-rec replay LOG.csv --set …" in text


def test_plain_line_tells_the_figures(snapshot):
    assert progress_line(snapshot) == (
        " 23.4 s  12,345 events in, 12,340 lists out, 803/s, latency p50 6 ms p99 21 ms, "
        "HR@10 0.251 (popularity 0.148)"
    )


def test_plain_line_of_a_user_tells_titles_and_reasons(moment, titles):
    assert moment_line(moment, titles).strip() == (
        "user 42 rated Alien (1979) 9 (was no. 2 on their list): now "
        "The Assassination of Jesse James by the Coward Robert (1979) "
        "[because you rated Alien 9], Heat (1979) [popular now], unknown [new here]"
    )


def test_plain_view_prints_each_phase_and_then_every_two_seconds(snapshot, titles):
    lines = []
    show = PlainView(lines.append, titles)
    show(Snapshot(Phase.WORKER, elapsed_s=1.0))
    show(Snapshot(Phase.WORKER, elapsed_s=9.0))
    for elapsed_s in (10.0, 11.9, 12.0, 13.0, 14.5):
        show(replace(snapshot, elapsed_s=elapsed_s))
    progress = [line.split(" s ")[0].strip() for line in lines if "user" not in line]
    assert progress == ["1.0", "10.0", "12.0", "14.5"]
    assert sum("user 42" in line for line in lines) == 1


def test_output_that_is_no_terminal_gets_plain_lines(snapshot, titles):
    out = io.StringIO()
    with open_view(Console(file=out), titles) as show:
        show(snapshot)
    assert out.getvalue().startswith(progress_line(snapshot) + "\n")
    assert "\x1b" not in out.getvalue()


def test_terminal_is_drawn_on_and_given_back(snapshot, titles):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24)

    def show_until_interrupted():
        with open_view(console, titles) as show:
            show(snapshot)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_until_interrupted()
    assert "12,345 in" in out.getvalue()
    assert out.getvalue().rindex("\x1b[?1049l") > out.getvalue().rindex("\x1b[?1049h")


def test_picture_is_saved_as_svg(snapshot, titles, tmp_path):
    save_picture(snapshot, titles, tmp_path / "demo.svg")
    text = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "12,345" in text


def test_long_title_leaves_room_for_the_rating(titles):
    listed = ListedItem("1", (Reason("taken_next", "3"),))
    reason = reason_of(listed, {"3": 7.5}, titles, 40)
    assert len(reason) <= 40
    assert reason.startswith("because you rated The Assassination")
    assert reason.endswith("… 7.5")


def test_item_without_reasons_has_none(titles):
    assert reason_of(ListedItem("1"), {}, titles) == ""


@pytest.mark.parametrize(
    ("latency_ms", "text"),
    [(None, "–"), (0.0, "0 ms"), (6.4, "6 ms"), (1234.0, "1,234 ms"), (12_345.0, "12 s")],
)
def test_latency_has_its_unit(latency_ms, text):
    assert latency_text(latency_ms) == text


def test_sparkline_shows_the_last_values():
    assert sparkline([], 5) == ""
    assert sparkline([0.0, 0.0], 5) == "▁▁"
    assert sparkline([9, 9, 1, 4, 8], 3) == "▂▅█"
