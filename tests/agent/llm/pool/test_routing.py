"""Which model and which server: load makes wait, only an outage changes the model."""

from agent.llm.pool.routing import Seen, model_for, server_for, why_none


def one(name: str, model: str = "moe", priority: int = 1, *, free: int = 4, down: str = "") -> Seen:
    return Seen(name=name, model=model, priority=priority, usable=not down, free=free, why_not=down)


SERVERS = (one("a"), one("b"), one("site-2", priority=2), one("cpu", "small", 9))


def test_the_first_priority_answers() -> None:
    assert model_for(SERVERS, "") == "moe"
    assert server_for(SERVERS, "moe", case="") in ("a", "b")


def test_a_full_first_server_gives_the_second_site_and_never_the_small_model() -> None:
    full = (one("a", free=0), one("b", free=0), *SERVERS[2:])
    assert model_for(full, "") == "moe"
    assert server_for(full, "moe", case="x") == "site-2"
    all_full = (*full[:2], one("site-2", priority=2, free=0), SERVERS[3])
    assert model_for(all_full, "") == "moe"
    assert server_for(all_full, "moe", case="x") is None


def test_a_conversation_stays_with_its_model_although_a_better_one_is_back() -> None:
    assert model_for(SERVERS, "small") == "small"


def test_a_model_that_is_gone_is_replaced_by_the_next() -> None:
    down = (*(s.model_copy(update={"usable": False, "why_not": "x"}) for s in SERVERS[:3]),)
    assert model_for((*down, SERVERS[3]), "moe") == "small"
    assert model_for(down, "moe") is None
    assert why_none(down) == "a: x; b: x; site-2: x"


def test_a_case_stays_with_its_server_and_only_those_of_a_lost_one_move() -> None:
    cases = [f"case-{n}" for n in range(200)]
    three = (one("a"), one("b"), one("c"))
    before = {case: server_for(three, "moe", case=case) for case in cases}
    two = (one("a"), one("b", down="x"), one("c"))
    after = {case: server_for(two, "moe", case=case) for case in cases}
    assert all(after[case] == before[case] for case in cases if before[case] != "b")
    counts = [list(before.values()).count(name) for name in ("a", "b", "c")]
    # 200 cases over 3 servers: 66.7 each; a binomial of 200 at 1/3 has a deviation of 6.7
    assert all(abs(count - 200 / 3) < 5 * 6.7 for count in counts)


def test_a_server_that_failed_this_request_is_not_asked_again() -> None:
    assert server_for((one("a"),), "moe", case="", but=["a"]) is None
