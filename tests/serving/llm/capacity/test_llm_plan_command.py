"""``epicrisis llm plan``: what it prints, and its exit codes."""

from importlib.resources import files
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from serving.commands.llm import register

SITE = ("--users", "40", "--cases-per-hour", "2000")
RUN = ("--calls", "4", "--tokens-in", "9000", "--tokens-out", "1200", "--cache-hit", "0.5")
QWEN = ("--profile", "qwen3-30b-a3b")


def run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["llm", "plan", *arguments])


def test_a_plan_is_printed_and_enough_ends_with_0() -> None:
    result = run(*QWEN, "--gpu", "h100", "--gpus", "2", *SITE, *RUN)
    assert result.exit_code == 0, result.output
    for words in ("experts read", "What limits", "What would help", "Verdict: enough", "Assumed"):
        assert words in result.stdout
    assert "not assessed: no price was given" in result.stdout


def test_json_has_everything_the_text_has() -> None:
    result = run(*QWEN, "--gpu", "h100", "--gpus", "2", *SITE, *RUN, "--json")
    told = orjson.loads(result.stdout)
    pool = told["pools"][0]
    assert told["verdict"] == "enough"
    assert pool["cases_per_hour"]["low"] < pool["cases_per_hour"]["high"]
    assert pool["speeds"][0]["touched"] == pytest.approx(8 / 128)
    assert told["costs"][0]["reason"].startswith("not assessed")
    assert {one["key"] for one in told["assumptions"]} > {"bandwidth_efficiency"}
    assert told["helps"]["h100"]


def test_too_much_work_ends_with_1() -> None:
    site = ("--users", "40", "--cases-per-hour", "1000000")
    assert run(*QWEN, "--gpu", "h100", "--gpus", "1", *site, *RUN).exit_code == 1


def test_what_does_not_fit_is_told_with_the_sizes() -> None:
    result = run(*QWEN, "--gpu", "rtx-4090", "--gpus", "1", *SITE, *RUN)
    assert result.exit_code == 1
    assert "Does not fit: the weights take 56.9 GiB" in result.stdout


def test_two_kinds_are_one_fleet_with_a_price_for_each() -> None:
    fleet = ("--gpu", "h100", "--gpus", "2", "--gpu", "h200", "--gpus", "1")
    prices = ("--price-per-gpu-hour", "2", "--price-per-gpu-hour", "3")
    result = run(*QWEN, *fleet, *prices, *SITE, *RUN)
    assert result.exit_code == 0
    assert result.stdout.count("Cost of a case when full") == 2
    assert "% of the work" in result.stdout


def test_slides_take_accelerators_of_their_own() -> None:
    result = run(*QWEN, "--gpu", "h100", "--gpus", "2", *SITE, *RUN, "--slides-per-hour", "20")
    assert "Slides on h100" in result.stdout
    assert "30 % tissue (assumed)" in result.stdout


def test_tokens_come_from_traces(tmp_path: Path) -> None:
    use = {"calls": 3, "prompt_tokens": 2607, "completion_tokens": 536}
    (tmp_path / "case.json").write_bytes(orjson.dumps({"agent": {"use": use}}))
    result = run(*QWEN, "--gpu", "h100", "--gpus", "1", *SITE, "--traces", str(tmp_path))
    assert "2607 prompt tokens a case (mean of 1 recorded runs" in result.stdout


def test_without_tokens_those_of_the_evaluations_are_taken_and_labelled() -> None:
    result = run(*QWEN, "--gpu", "h100", "--gpus", "1", *SITE)
    assert result.exit_code == 0
    assert "prompt tokens a case (measured on 20" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*QWEN, "--gpu", "h100"), "--users, --cases-per-hour"),
        ((*QWEN, *SITE, *RUN), "--gpu: must be given"),
        (("--gpu", "h100", *SITE, *RUN), "--profile: must be given"),
        (("--profile", "qwen9", "--gpu", "h100", *SITE, *RUN), "no profile of this model"),
        ((*QWEN, "--gpu", "h1000", *SITE, *RUN), "is not in the table"),
        ((*QWEN, "--gpu", "cpu.json", *SITE, *RUN), "bench/llm_capacity.py"),
        ((*QWEN, "--gpu", "h100", "--gpus", "0", *SITE, *RUN), "1 or more"),
        ((*QWEN, "--gpu", "h100", "--gpus", "1", "--gpus", "2", *SITE, *RUN), "2 times for 1"),
        ((*QWEN, "--gpu", "h100", "--weights", "int3", *SITE, *RUN), "bfloat16"),
        ((*QWEN, "--gpu", "h100", "--users", "0", "--cases-per-hour", "0", *RUN), "ask for nothi"),
        (("--claim", "nonsense"), "no packaged claim"),
        (("--claim", "active-share", "--users", "3"), "with the figures of its file"),
        ((*QWEN, "--gpu", "h100", "--users", "1", "--cases-per-hour", "inf", *RUN), "no number"),
    ],
)
def test_a_wrong_argument_ends_with_4_and_says_which(
    arguments: tuple[str, ...], words: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 4
    assert words in result.stderr


def test_a_model_of_unknown_sizes_ends_with_5() -> None:
    result = run("--profile", "deepseek-v4-flash", "--gpu", "h100", *SITE, *RUN)
    assert result.exit_code == 5
    assert "cannot be computed" in result.stderr


@pytest.mark.parametrize("name", ["active-share", "sixteen-accelerators", "slide-tokens"])
def test_a_claim_is_examined_in_text_and_json(name: str) -> None:
    result = run("--claim", name)
    assert result.exit_code == 0
    assert "Verdict: holds" in result.stdout
    told = orjson.loads(run("--claim", name, "--json").stdout)
    assert told["id"] == name
    assert told["blocks"]


def test_an_accelerator_that_no_copy_takes_is_said_to_be_idle() -> None:
    result = run(*QWEN, "--gpu", "rtx-4090", "--gpus", "5", *SITE, *RUN)
    assert "Idle: 1 of 5" in result.stdout


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("slide-tokens", "encoder_params: ", "encoder_params: .inf #", "encoder_params"),
        ("active-share", "within: ", "within: .inf #", "within"),
        ("sixteen-accelerators", "low: 200", "low: 0", "runs_per_site_per_day"),
    ],
)
def test_a_claim_with_figures_that_are_none_is_refused(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    packaged = files("serving.llm.capacity").joinpath("data", "claims", f"{name}.yaml")
    text = packaged.read_text("utf-8")
    assert old in text
    file = tmp_path / "claim.yaml"
    file.write_text(text.replace(old, new), "utf-8")
    result = run("--claim", str(file))
    assert result.exit_code == 4
    assert told in result.output + str(result.exception or "")


SMALL = (*QWEN, "--gpu", "h100", "--users", "10", "--cases-per-hour", "10")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--users", "10000001"),
        ("--users", "9" * 400),
        ("--cases-per-hour", "1.1e7"),
        ("--calls", "1e308"),
        ("--tokens-in", "1e9"),
        ("--tokens-out", "1e308"),
        ("--slides-per-hour", "1e308"),
        ("--slide-tokens", "1e308"),
        ("--encoder-params", "1e15"),
        ("--gpus", "1000001"),
        ("--gpus", "9" * 400),
        ("--price-per-gpu-hour", "1e10"),
        ("--ttft-s", "1e7"),
        ("--tpot-ms", "1e10"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_number_beyond_any_hospital_is_refused_with_item_reason_and_way_out(
    option: str, value: str, form: tuple[str, ...]
) -> None:
    result = run(*SMALL, option, value, *form)
    assert result.exit_code == 4, result.output
    assert option in result.stderr
    assert "is more than is planned with" in result.stderr or "is no number" in result.stderr
    assert "(give " in result.stderr
    assert len(result.stderr) < 200
    assert not result.stdout


def test_the_largest_numbers_that_are_taken_give_a_plan_without_infinite_figures() -> None:
    most = ("--users", "10000000", "--cases-per-hour", "1e7", "--calls", "1e4")
    more = ("--tokens-in", "1e8", "--tokens-out", "1e8", "--gpus", "1000000")
    slides = ("--slides-per-hour", "1e6", "--slide-tokens", "1e10", "--encoder-params", "1e14")
    result = run(*QWEN, "--gpu", "h100", *most, *more, *slides, "--price-per-gpu-hour", "1e9")
    assert result.exit_code in (0, 1), result.output
    assert not {"inf", "nan"} & set(result.stdout.split())


def test_a_figure_that_comes_out_infinite_is_refused() -> None:
    site = ("--users", "1", "--cases-per-hour", "1e-320")
    result = run(*QWEN, "--gpu", "h100", *site, *RUN, "--price-per-gpu-hour", "9")
    assert result.exit_code == 4
    assert "at_this_load" in result.stderr
    assert "no figure" in result.stderr


def test_traces_with_numbers_beyond_any_hospital_are_refused(tmp_path: Path) -> None:
    use = {"calls": 3, "prompt_tokens": 10**18, "completion_tokens": 536}
    (tmp_path / "case.json").write_bytes(orjson.dumps({"agent": {"use": use}}))
    result = run(*SMALL, "--traces", str(tmp_path))
    assert result.exit_code == 4
    assert "tokens in" in result.stderr


def test_an_option_out_of_its_range_ends_with_2_as_the_help_says() -> None:
    assert run(*SMALL, "--cache-hit", "2").exit_code == 2
    assert run(*SMALL, "--users", "many").exit_code == 2
    assert run(*SMALL, "--no-such-option").exit_code == 2
    assert "2 an option" in " ".join(run("--help").stdout.split())


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("active-share", "batches: [1, 8, 64, 256]", "batches: []", "batches"),
        ("active-share", "256]", "9" * 400 + "]", "batches"),
        ("active-share", "within: ", f"within: {'9' * 400} #", "within"),
        ("slide-tokens", "encoder_params: ", "encoder_params: 1.0e308 #", "encoder_params"),
        ("slide-tokens", "high: 100.0e+6", "high: 1.0e308", "tokens"),
        ("slide-tokens", "high: 100.0e+6", "high: .inf", "range"),
        ("slide-tokens", "patch_px: 14, tissue: 0.4", "patch_px: 300, tissue: 0.4", "slides"),
        ("slide-tokens", "width_px: 60000", "width_px: " + "9" * 400, "width_px"),
        ("sixteen-accelerators", "accelerators: 16", "accelerators: 1" + "0" * 35, "accelerators"),
        ("sixteen-accelerators", "sites: 100", "sites: 1000000", "busiest hour"),
        ("sixteen-accelerators", "calls: 6", "calls: 0.5", "calls"),
        ("sixteen-accelerators", "tokens_out: 1200", "tokens_out: 1.0e308", "tokens_out"),
        ("sixteen-accelerators", "peak_share: 0.12", "peak_share: 1.0e-300", "peak_share"),
        ("sixteen-accelerators", "ttft_s: 10", "ttft_s: 1.0e308", "ttft_s"),
    ],
)
def test_a_claim_with_figures_beyond_any_hospital_is_refused(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    text = files("serving.llm.capacity").joinpath("data", "claims", f"{name}.yaml").read_text()
    assert old in text
    (tmp_path / "claim.yaml").write_text(text.replace(old, new), "utf-8")
    result = run("--claim", str(tmp_path / "claim.yaml"))
    assert result.exit_code == 4, result.exception
    assert told in result.stderr
    assert result.stderr.rstrip().endswith(")")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes_per_s", "1e400"),
        ("flops_per_s", "1e308"),
        ("usable_bytes", "9" * 400),
        ("overhead_s", "1e300"),
        ("per_node", "9" * 400),
    ],
)
def test_a_fitted_machine_with_figures_that_no_machine_has_is_refused(
    tmp_path: Path, field: str, value: str
) -> None:
    record = orjson.loads(
        files("serving.llm.capacity").joinpath("data", "cpu_fit.json").read_bytes()
    )
    record["fits"][0]["machine"][field] = 0.123456789
    file = tmp_path / "machine.json"
    file.write_text(orjson.dumps(record).decode().replace("0.123456789", value, 1), "utf-8")
    result = run(*QWEN, "--gpu", str(file), "--users", "1", "--cases-per-hour", "1", *RUN)
    assert result.exit_code == 4, result.exception
    assert field in result.stderr
    assert result.stderr.rstrip().endswith(")")


def test_where_the_search_ends_first_the_plan_says_at_least(tmp_path: Path) -> None:
    record = orjson.loads(
        files("serving.llm.capacity").joinpath("data", "cpu_fit.json").read_bytes()
    )
    for fit in record["fits"]:
        fit["machine"] |= {
            "bytes_per_s": 1e30, "flops_per_s": 1e30, "usable_bytes": 1e18, "overhead_s": 0,
        }  # fmt: skip
    (tmp_path / "machine.json").write_bytes(orjson.dumps(record))
    given = ("--gpu", str(tmp_path / "machine.json"), "--users", "0", "--cases-per-hour", "1")
    result = run(*QWEN, *given, *RUN)
    assert "Does at least" in result.stdout, result.output
    assert "at most" not in result.stdout


def test_a_measured_machine_is_not_said_to_be_computed() -> None:
    record = str(files("serving.llm.capacity").joinpath("data", "cpu_fit.json"))
    result = run(*QWEN, "--gpu", record, "--users", "0", "--cases-per-hour", "1", *RUN)
    assert "Rates of the measured machine" in result.stdout, result.output
    assert "Nothing of this was measured" not in result.stdout
    assert "llm launch" not in result.stdout  # its limits are those of accelerators
    both = run(
        *QWEN, "--gpu", record, "--gpu", "h100", "--users", "0", "--cases-per-hour", "1", *RUN
    )
    assert "Nothing of this was measured on NVIDIA H100 80 GB SXM5" in both.stdout, both.output


def test_a_claim_that_is_no_mapping_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("some words")
    result = run("--claim", str(tmp_path / "x.yaml"))
    assert result.exit_code == 4
    assert "the whole file" in result.output + str(result.exception or "")
